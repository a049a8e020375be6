#include "am/local/vote_scan.h"

#include <algorithm>
#include <cmath>

#include "am/local/index_words.h"
#include "am/storage/list_chain.h"
#include "am/storage/row_walk.h"
#include "core/local/set_match.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

// Where very many show the same, so many are compared for each row that is given out.
constexpr uint32 kComparedPerGiven = 4;
constexpr uint32 kBatchRows = 16;
constexpr uint32 kRowsAhead = 4;

bool is_farther(const ComparedRow& a, const ComparedRow& b) {
    if (a.distance != b.distance) return a.distance > b.distance;
    return a.row > b.row;
}

void read_lists(VoteScan* votes) {
    VoteSearch* search = votes->search;
    const size_t count = run_core([&] { return search->list_count(); });
    for (size_t number = 0; number < count; ++number) {
        const BlockNumber list = run_core([&] { return search->list(number); });
        visit_list(votes->index, search->leaf(), list, [&](const uint8_t* page, bool is_first) {
            return run_core([&] {
                if (is_first && search->skip_list(page)) return false;
                search->push_page(number, page);
                return true;
            });
        });
    }
    votes->lists_read += static_cast<uint32>(count);
    run_core([&] { search->count_votes(); });
}

void count_votes(VoteScan* votes, const LoadedIndex& loaded, const LocalFeatures& query) {
    const VotePlan plan{.lists_per_feature = votes->options.effort.lists_per_feature,
                        .memory_bytes = votes->options.memory_bytes};
    auto* owned = ContextOwned<VoteSearch>::make();
    Words* words = read_words(votes->index, loaded);
    auto* codes =
        ContextOwned<std::vector<uint8_t>>::make()->create(kLocalCodeBytes * query.count());
    run_core([&] { local_codes(query, codes->data()); });
    votes->search =
        owned->create(std::move(*codes), loaded.shape.levels[0], votes->options.filter, plan);
    run_core([&] { votes->search->choose_lists(words, throw_if_cancelled); });
    read_lists(votes);
}

template <typename Element>
void append(Element** elements, uint32* count, uint32* room, const Element& element) {
    if (*count == *room) {
        *room *= 2;
        *elements =
            static_cast<Element*>(repalloc_huge(*elements, sizeof(Element) * size_t{*room}));
    }
    (*elements)[(*count)++] = element;
}

uint32 patience_of(const VoteScan& votes) {
    const uint32 patience = votes.options.effort.patience;
    return std::isinf(votes.options.radius) ? patience : kPatienceInSphere * patience;
}

// Rows that have nothing in common with the query come later, as they lie.
void compare(VoteScan* votes, IndexScanDesc scan, RowDistance* measure, uint64 row) {
    CHECK_FOR_INTERRUPTS();
    double distance;
    append(&votes->compared, &votes->compared_count, &votes->compared_room, row);
    ++votes->in_vain;
    if (!measure_row(measure, scan, row_place(row), &distance)) return;
    if (distance <= kSameDistance) {
        votes->in_vain = 0;
        ++votes->same_count;
    }
    if (distance < 1 && distance <= votes->options.radius) {
        append(&votes->waiting, &votes->waiting_count, &votes->waiting_room, {distance, row});
        std::push_heap(votes->waiting, votes->waiting + votes->waiting_count, is_farther);
    }
}

void compare_all_rows(VoteScan* votes, IndexScanDesc scan, RowDistance* measure) {
    RowWalk walk = make_row_walk();
    walk_list(&walk, votes->meta.nan_list);
    EntryPointer row;
    while (next_of_walk(&walk, votes->index, votes->meta, &row))
        compare(votes, scan, measure, row_number(row));
    votes->goes_on = false;
}

// Where very many rows show the same, as copies do, they have kept others from being voted for.
// These get their votes now.
void end_round(VoteScan* votes) {
    const bool are_many = 2 * votes->same_count >= kVoters;
    votes->goes_on = are_many && run_core([&] { return votes->search->has_left_out(); });
    if (!votes->goes_on) return;
    std::sort(votes->compared, votes->compared + votes->compared_count);
    run_core([&] { votes->search->start_again_without({votes->compared, votes->compared_count}); });
    votes->same_count = 0;
    votes->in_vain = 0;
    read_lists(votes);
}

void compare_next_rows(VoteScan* votes, IndexScanDesc scan, RowDistance* measure,
                       RowPrefetcher* prefetcher) {
    const std::span<const VotedRow> rows =
        run_core([&] { return votes->search->next_rows(kBatchRows); });
    for (size_t i = 0; i < rows.size(); ++i) {
        for (size_t ahead = i; ahead < std::min(i + kRowsAhead, rows.size()); ++ahead) {
            if (row_place(rows[ahead].row).block() < measure->table_blocks)
                prefetcher->expect(scan->heapRelation, row_place(rows[ahead].row));
        }
        compare(votes, scan, measure, rows[i].row);
    }
    if (rows.empty() || votes->in_vain >= patience_of(*votes)) end_round(votes);
}

}  // namespace

VoteScan* begin_vote_scan(Relation index, const LoadedIndex& loaded, const LocalFeatures& query,
                          const VoteScanOptions& options) {
    constexpr uint32 kFirstRoom = 64;
    auto* votes = static_cast<VoteScan*>(palloc0(sizeof(VoteScan)));
    votes->index = index;
    votes->options = options;
    votes->meta = loaded.meta;
    votes->goes_on = true;
    votes->waiting_room = kFirstRoom;
    votes->waiting = static_cast<ComparedRow*>(palloc(sizeof(ComparedRow) * kFirstRoom));
    votes->compared_room = kFirstRoom;
    votes->compared = static_cast<uint64*>(palloc(sizeof(uint64) * kFirstRoom));
    votes->given_room = kFirstRoom;
    votes->given = static_cast<uint64*>(palloc(sizeof(uint64) * kFirstRoom));
    if (!options.compares_all) count_votes(votes, loaded, query);
    return votes;
}

bool next_voted_row(VoteScan* votes, IndexScanDesc scan, RowDistance* measure,
                    RowPrefetcher* prefetcher, ComparedRow* row) {
    if (votes->goes_on && votes->search == nullptr) compare_all_rows(votes, scan, measure);
    while (votes->goes_on &&
           votes->compared_count < patience_of(*votes) + kComparedPerGiven * votes->given_count)
        compare_next_rows(votes, scan, measure, prefetcher);
    if (votes->waiting_count == 0) return false;
    std::pop_heap(votes->waiting, votes->waiting + votes->waiting_count, is_farther);
    *row = votes->waiting[--votes->waiting_count];
    append(&votes->given, &votes->given_count, &votes->given_room, row->row);
    votes->given_is_sorted = false;
    return true;
}

bool was_given(VoteScan* votes, EntryPointer row) {
    if (!votes->given_is_sorted) std::sort(votes->given, votes->given + votes->given_count);
    votes->given_is_sorted = true;
    return std::binary_search(votes->given, votes->given + votes->given_count, row_number(row));
}

}  // namespace lookalike
