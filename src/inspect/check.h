// What the parts of faiss_index_check hand to each other. All of it raises at the first fault.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "storage/off.h"
#include "utils/snapshot.h"
#include "utils/tuplesort.h"
}

#include "core/code/entry_encoder.h"
#include "core/page/list_summary.h"
#include "inspect/page_reader.h"
#include "pg/run_core.h"

namespace lookalike {

/// A leaf list and the root's entry for it, which holds its centroid.
struct CheckedList {
    BlockNumber list_id;
    BlockNumber root_page;
    uint32 root_index;
};

/// An entry as the pages hold it. The bytes lie in buffers of the CheckState.
struct StoredEntry {
    EntryPointer pointer;
    ScanFactors factors;
    uint8_t* code;
    uint8_t* slot;  ///< with its header
};

/// Lives in one memory context. Memory does not grow with the table: a bit for each page of the
/// index, 12 bytes for each list, and maintenance_work_mem for sorting the entries by row.
struct CheckState : IndexPages {
    bool locks_writers;  ///< nobody writes: everything must fit exactly
    Snapshot snapshot;   ///< older than anything that was read of the index
    ListGeometry plain;
    BlockNumber block_count;  ///< when the check began, as the next
    BlockNumber heap_block_count;
    uint8_t* reached;    ///< a bit for each page
    CheckedList* lists;  ///< sorted by list_id once the root was read; depth 2 only
    uint32 list_count;
    Tuplesortstate* entries;  ///< of rows: see entry_row_descriptor
    uint64 leaked_pages;      ///< beside writers: or linked meanwhile

    // Scratch.
    TupleTableSlot* put_slot;                   ///< into `entries`
    TupleTableSlot* get_slot;                   ///< from them
    ContextOwned<EntryEncoder>* inner_encoder;  ///< null for binary metrics
    float* zero;                                ///< code_dims: the root's centroid
    float* vector;                              ///< code_dims
    StoredEntry stored;
    uint8_t summary[summary_bytes(kMaxAttributes)];  ///< local features: of the list being read
};

/// Columns of the sorted entries: row (block << 16 | offset), place (list page << 16 | index), or
/// of local features the entry's tag.
TupleDesc entry_row_descriptor();

/// Every page: its kind, owner and links, every list, every entry of the root. Sorts the other
/// entries by row.
void check_pages(CheckState* state);

/// Every live row of the table against its entry, and every entry against the table.
void check_rows(CheckState* state);

/// The same of local features, whose rows have many entries: these are sorted by their tags in
/// place of their places.
void check_features(CheckState* state);
constexpr int64 kTagOfNull = 0;
constexpr int64 kTagOfRow = 1;
int64 tag_of_feature(const AttributeWidths& widths, const uint8_t* code,
                     const AttributeKeys& attributes);

/// Calls back for every row that the snapshot sees, from the first block of the table on: the
/// sorted entries come in that order.
void visit_rows(CheckState* state, IndexBuildCallback visit, void* argument);

[[noreturn]] void raise_row_fault(const CheckState* state, int64 row, const char* fault);

/// Reads entry `index` of the list page that state->page is a copy of into state->stored.
void read_stored_entry(CheckState* state, BlockNumber list_page, const ListGeometry& geometry,
                       uint32 index);

/// What distinguishes the stored entry from what encoding gives now, or null.
const char* entry_fault(const CheckState* state, const ListGeometry& geometry,
                        const EncodedEntry& expected);

}  // namespace lookalike
