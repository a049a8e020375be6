#include "am/local/vote_scan.h"

#include <algorithm>

#include "am/local/index_words.h"
#include "am/storage/list_chain.h"
#include "am/storage/row_walk.h"
#include "core/votes/vote_plan.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

constexpr uint32 kBatchRows = 64;
constexpr uint64 kComparedPerGiven = 4;
// Up to here two pictures may have something in common; farther apart lies what chance makes alike.
constexpr double kChanceDistance = 0.75;
constexpr uint32 kRowsAhead = 4;

bool is_farther(const ComparedRow& a, const ComparedRow& b) {
    if (a.distance != b.distance) return a.distance > b.distance;
    return a.row > b.row;
}

void read_lists(VoteScan* votes, const ListGeometry& leaf) {
    VoteSearch* search = votes->search;
    const size_t count = run_core([&] { return search->list_count(); });
    for (size_t number = 0; number < count; ++number) {
        const BlockNumber list = run_core([&] { return search->list(number); });
        visit_list(votes->index, leaf, list, [&](const uint8_t* page, bool is_first) {
            return run_core([&] {
                if (is_first && search->skip_list(page)) return false;
                search->push_page(number, page);
                return true;
            });
        });
    }
    votes->lists_read = static_cast<uint32>(count);
}

void count_votes(VoteScan* votes, const LoadedIndex& loaded, const LocalFeatures& query) {
    const VotePlan plan{.lists_per_feature = lists_per_feature(votes->options.recall),
                        .memory_bytes = votes->options.memory_bytes};
    const ListGeometry leaf = loaded.shape.levels[0];
    auto* owned = ContextOwned<VoteSearch>::make();
    Words* words = read_words(votes->index, loaded);
    auto* codes =
        ContextOwned<std::vector<uint8_t>>::make()->create(kLocalCodeBytes * query.count());
    run_core([&] { local_codes(query, codes->data()); });
    votes->search = owned->create(std::move(*codes), leaf, votes->options.filter, plan);
    run_core([&] { votes->search->choose_lists(words); });
    read_lists(votes, leaf);
    run_core([&] { votes->search->count_votes(); });
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

// Rows that have nothing in common with the query come later, as they lie.
double compare(VoteScan* votes, IndexScanDesc scan, RowDistance* measure, uint64 row) {
    CHECK_FOR_INTERRUPTS();
    double distance;
    ++votes->compared;
    if (!measure_row(measure, scan, row_place(row), &distance)) return 1;
    if (distance < 1 && distance <= votes->options.radius) {
        append(&votes->waiting, &votes->waiting_count, &votes->waiting_room, {distance, row});
        std::push_heap(votes->waiting, votes->waiting + votes->waiting_count, is_farther);
    }
    return distance;
}

void compare_next_rows(VoteScan* votes, IndexScanDesc scan, RowDistance* measure,
                       RowPrefetcher* prefetcher) {
    const std::span<const VotedRow> rows =
        run_core([&] { return votes->search->next_rows(kBatchRows); });
    const BlockNumber heap_blocks = RelationGetNumberOfBlocks(scan->heapRelation);
    votes->goes_on = false;
    for (size_t i = 0; i < rows.size(); ++i) {
        if (row_place(rows[i].row).block() >= heap_blocks)
            raise_corrupted(votes->index, kMetaBlock, "an entry points beyond the table");
        for (size_t ahead = i; ahead < std::min(i + kRowsAhead, rows.size()); ++ahead) {
            if (row_place(rows[ahead].row).block() < heap_blocks)
                prefetcher->expect(scan->heapRelation, row_place(rows[ahead].row));
        }
        if (compare(votes, scan, measure, rows[i].row) <= kChanceDistance) votes->goes_on = true;
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
    votes->given_room = kFirstRoom;
    votes->given = static_cast<uint64*>(palloc(sizeof(uint64) * kFirstRoom));
    if (options.recall < 1) count_votes(votes, loaded, query);
    return votes;
}

bool next_voted_row(VoteScan* votes, IndexScanDesc scan, RowDistance* measure,
                    RowPrefetcher* prefetcher, ComparedRow* row) {
    if (votes->goes_on && votes->search == nullptr) compare_all_rows(votes, scan, measure);
    while (votes->goes_on && votes->compared <= kComparedPerGiven * votes->given_count)
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
