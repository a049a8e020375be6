#include "am/upkeep/replace_lists.h"

extern "C" {
#include "portability/instr_time.h"
#include "utils/memutils.h"
}

#include <algorithm>

#include "am/scan_totals.h"
#include "am/storage/list_append.h"
#include "am/storage/new_list.h"
#include "am/upkeep/list_copy.h"
#include "am/upkeep/named_point.h"
#include "am/upkeep/retired.h"
#include "am/upkeep/tree_lists.h"
#include "core/split/list_parts.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

struct Move {
    Relation index;
    IndexShape shape;
    RowVectors* rows;  // null: entries tell them
    ListParts* parts;
    ListCopier** copiers;  // of the lists that are replaced
    uint32 copier_count;
    uint64 entries;        // that were seen, and assigned
    uint64 first_entries;  // of the first list
    BlockNumber* new_lists;
    uint64 late;  // entries that came later
};

// Every so many entries are the sample, so that it comes from all of the lists.
void take_sample(const Move& move, const Replacement& wanted) {
    const uint64 rows = move.parts->sample_rows(wanted.part_count);
    const uint64 step = Max(uint64{1}, (wanted.entries + rows - 1) / rows);
    uint64 seen = 0;
    for (uint32 i = 0; i < move.copier_count; ++i) {
        start_reading(move.copiers[i], Reading::kAll);
        while (next_entry(move.copiers[i])) {
            if (seen++ % step != 0) continue;
            const ListEntry entry = read_entry(move.copiers[i]);
            run_core([&] { move.parts->add_to_sample(entry.code); });
        }
        run_core([&] { move.parts->end_list(); });
    }
}

// Finds the new list of each entry.
void assign_entries(Move* move) {
    for (uint32 i = 0; i < move->copier_count; ++i) {
        start_reading(move->copiers[i], Reading::kAll);
        while (next_entry(move->copiers[i])) {
            const ListEntry entry = read_entry(move->copiers[i]);
            run_core([&] { move->parts->assign(entry.code); });
            ++move->entries;
        }
        if (i == 0) move->first_entries = move->entries;
    }
}

// Whether nearly all entries of the first list go to one new list.
bool stay_together(const Move& move) {
    auto* counts = static_cast<uint64*>(palloc0(sizeof(uint64) * move.parts->count()));
    const std::span<const uint32_t> assigned = run_core([&] { return move.parts->assigned(); });
    uint64 most = 0;
    for (uint64 i = 0; i < move.first_entries; ++i)
        most = std::max(most, ++counts[assigned[i]]);
    return most >= move.first_entries - move.first_entries / 16;
}

// One list after the other, so that there need be room for the pages of one.
void write_new_list(Move* move, uint32 part, ListPageBuilder* builder) {
    NewList list(move->index, move->shape.levels[0], builder);
    const std::span<const uint32_t> assigned = run_core([&] { return move->parts->assigned(); });
    uint64 number = 0;
    for (uint32 i = 0; i < move->copier_count; ++i) {
        start_reading(move->copiers[i], Reading::kSeen);
        while (next_entry(move->copiers[i])) {
            if (assigned[number++] != part) continue;
            const ListEntry entry = read_entry(move->copiers[i]);
            EncodedEntry moved =
                run_core([&] { return move->parts->move(entry.pointer, entry.code, part); });
            moved.attributes = &entry.attributes;
            list.add(moved);
        }
    }
    move->new_lists[part] = list.finish();
    named_point("new_list");
}

void write_new_lists(Move* move) {
    const uint32 count = move->parts->count();
    move->new_lists = static_cast<BlockNumber*>(palloc(sizeof(BlockNumber) * count));
    ListPageBuilder* builder = ContextOwned<ListPageBuilder>::make()->create(move->shape.levels[0]);
    for (uint32 part = 0; part < count; ++part)
        write_new_list(move, part, builder);
}

// Entries that have come since, while nobody can add more.
void append_late_entries(Move* move) {
    for (uint32 i = 0; i < move->copier_count; ++i) {
        start_reading(move->copiers[i], Reading::kNew);
        while (next_entry(move->copiers[i])) {
            const ListEntry entry = read_entry(move->copiers[i]);
            const uint32 part = run_core([&] { return move->parts->part_of(entry.code); });
            EncodedEntry moved =
                run_core([&] { return move->parts->move(entry.pointer, entry.code, part); });
            moved.attributes = &entry.attributes;
            append_entry(move->index, move->new_lists[part], move->shape.levels[0], moved);
            ++move->late;
            named_point("late_entry");
        }
    }
}

EncodedEntry root_entry(const Move& move, uint32 part, BlockNumber list) {
    return run_core([&] { return move.parts->root_entry(part, entry_pointer(list, 1)); });
}

void change_root(const Move& move, TreeChange* change) {
    const ListGeometry& inner = move.shape.levels[1];
    for (uint32 part = 0; part < move.parts->count(); ++part) {
        add_list(change, inner, root_entry(move, part, move.new_lists[part]));
        named_point("root_entry");
    }
    for (uint32 i = 0; i < move.copier_count; ++i) {
        const BlockNumber list = move.copiers[i]->list;
        remove_list(change, inner, *find_list(*change, list), root_entry(move, 0, list));
        named_point("old_entry");
    }
}

void lock_lists(const Move& move, void (*lock)(Relation, BlockNumber, LOCKMODE)) {
    for (uint32 i = 0; i < move.copier_count; ++i)
        lock(move.index, move.copiers[i]->list, ExclusiveLock);
}

// Of an index with one list, too.
TreeLists lists_with_centroids(Relation index, const LoadedIndex& loaded) {
    if (loaded.meta.depth > 1) return read_tree_lists(index, loaded);
    auto* list = static_cast<BlockNumber*>(palloc(sizeof(BlockNumber)));
    *list = loaded.meta.root_list;
    return {.count = 1,
            .lists = list,
            .centroids = static_cast<float*>(palloc0(sizeof(float) * loaded.shape.code_dims))};
}

// Lists in which hardly a row would come or go stay as they are.
void leave_out_settled(Move* move, double share) {
    auto* kept = static_cast<bool*>(palloc(sizeof(bool) * move->copier_count));
    const uint32 count = run_core([&] { return move->parts->leave_out_settled(share, kept); });
    if (count == move->copier_count) return;
    uint32 next = 0;
    for (uint32 i = 0; i < move->copier_count; ++i)
        if (kept[i]) move->copiers[next++] = move->copiers[i];
    move->copier_count = next;
    run_core([&] { move->parts->find(count + 1, throw_if_cancelled); });
}

Move begin_move(Relation index, const LoadedIndex& loaded, const Replacement& wanted) {
    const bool tells_rows = can_part_lists(loaded.shape);
    Move move{.index = index,
              .shape = loaded.shape,
              .rows = tells_rows ? nullptr : begin_row_vectors(wanted.table, index, loaded),
              .parts = ContextOwned<ListParts>::make()->create(loaded.shape, loaded.space),
              .copiers = static_cast<ListCopier**>(palloc(sizeof(ListCopier*) * wanted.list_count)),
              .copier_count = wanted.list_count,
              .entries = 0,
              .first_entries = 0,
              .new_lists = nullptr,
              .late = 0};
    const TreeLists tree = tells_rows ? TreeLists{} : lists_with_centroids(index, loaded);
    for (uint32 i = 0; i < wanted.list_count; ++i) {
        const ListGeometry& geometry = loaded.shape.levels[0];
        if (tells_rows) {
            move.copiers[i] = make_list_copier(index, wanted.lists[i], geometry);
            continue;
        }
        const auto* list = std::find(tree.lists, tree.lists + tree.count, wanted.lists[i]);
        if (list == tree.lists + tree.count)
            raise_corrupted(index, wanted.lists[i], "the root lacks a list");
        const float* centroid =
            tree.centroids + (list - tree.lists) * ptrdiff_t{loaded.shape.code_dims};
        move.copiers[i] =
            make_row_copier(index, wanted.lists[i], geometry, move.rows, loaded.space, centroid);
    }
    return move;
}

Replaced give_up(const Move& move, Replaced replaced) {
    if (move.rows != nullptr) end_row_vectors(move.rows);
    return replaced;
}

void report_change(const Move& move, bool is_split, double milliseconds) {
    const uint32 before = move.copier_count;
    ereport(DEBUG1, (errmsg_internal(
                        "index \"%s\": %s %u list%s %s %u in %.1f ms (first list %u, " UINT64_FORMAT
                        " entries, " UINT64_FORMAT " came meanwhile)",
                        RelationGetRelationName(move.index), is_split ? "split" : "joined", before,
                        before == 1 ? "" : "s", is_split ? "into" : "to", move.parts->count(),
                        milliseconds, move.copiers[0]->list, move.entries + move.late, move.late)));
    add_to_totals(
        move.index,
        ListChanges{.splits = is_split, .merges = !is_split, .milliseconds = milliseconds});
}

Replaced replace_in_context(Relation index, const Replacement& wanted) {
    instr_time start;
    INSTR_TIME_SET_CURRENT(start);
    const LoadedIndex* loaded = load_index(index);
    TreeChange change = begin_tree_change(index);
    if (change.meta.build_id != loaded->build_id) return Replaced::kNotInTree;
    for (uint32 i = 0; i < wanted.list_count; ++i)
        if (find_list(change, wanted.lists[i]) == nullptr) return Replaced::kNotInTree;
    if (wanted.table != nullptr) free_some_retired_lists(change, wanted.table);
    Move move = begin_move(index, *loaded, wanted);
    take_sample(move, wanted);
    named_point("sampled");
    run_core([&] { move.parts->find(wanted.part_count, throw_if_cancelled); });
    if (wanted.least_change > 0) leave_out_settled(&move, wanted.least_change);
    const uint32 count = move.parts->count();
    if (wanted.must_part && count <= move.copier_count) return give_up(move, Replaced::kNotParted);
    assign_entries(&move);
    if (move.rows != nullptr && met_uncertain_row(move.rows))
        return give_up(move, Replaced::kNotYet);
    if (wanted.must_part && stay_together(move)) return give_up(move, Replaced::kNotParted);
    write_new_lists(&move);
    named_point("new_lists");
    change_root(move, &change);
    named_point("root_changed");
    // Who is about to put an entry into an old list has it there before, or finds the new ones.
    lock_lists(move, lock_list);
    named_point("lists_locked");
    append_late_entries(&move);
    if (move.rows != nullptr && met_uncertain_row(move.rows)) {
        lock_lists(move, unlock_list);
        return give_up(move, Replaced::kNotYet);
    }
    if (move.rows != nullptr) end_row_vectors(move.rows);
    named_point("late_entries");
    instr_time duration;
    INSTR_TIME_SET_CURRENT(duration);
    INSTR_TIME_SUBTRACT(duration, start);
    const bool is_split = count > move.copier_count;
    finish_tree_change(&change, is_split, INSTR_TIME_GET_MICROSEC(duration));
    named_point("version");
    lock_lists(move, unlock_list);
    note_retired(&change);
    named_point("noted");
    report_change(move, is_split, INSTR_TIME_GET_MILLISEC(duration));
    return Replaced::kDone;
}

}  // namespace

Replaced replace_lists(Relation index, const Replacement& wanted) {
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss lists", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    const Replaced replaced = replace_in_context(index, wanted);
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    return replaced;
}

}  // namespace lookalike
