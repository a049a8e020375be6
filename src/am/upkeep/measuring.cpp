#include "am/upkeep/measuring.h"

extern "C" {
#include "utils/memutils.h"
}

#include <algorithm>
#include <cmath>
#include <cstring>

#include "am/storage/stream.h"
#include "am/upkeep/entry_reader.h"
#include "core/measure/reservoir.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

// What takes time besides distances, in multiplications of floats, of which fifteen or more take a
// nanosecond: a page that is read, a centroid that is sorted, a row that is sorted.
constexpr uint64 kWorkOfPage = 15000;
constexpr uint64 kWorkOfCentroid = 1500;
constexpr uint64 kWorkOfRow = 500;
constexpr uint64 kWorkPerMillisecond = 15'000'000;

// A query's distance from a row, in the same unit.
uint64 distance_work(const IndexShape& shape) {
    return is_binary(shape.metric) ? 64 + shape.dims / 8 : shape.code_dims;
}

// An entry that became a query.
struct DrawnEntry {
    BlockNumber list_id;
    BlockNumber block;
    uint32 entry;
};

enum class Stage { kDraw, kAsk, kPlace, kRead, kConclude, kDone };

// Where the walk over the entries is: it goes on with this entry of this page of this list's chain.
struct WalkPlace {
    uint32 list;
    uint32 page;
    uint32 entry;
};

}  // namespace

struct Measuring {
    MemoryContext context;
    uint64 load_number;  // of the index
    IndexShape shape;
    TreeLists lists;
    QueryCounts wanted;
    Stage stage;
    WalkPlace at;
    int64 left;  // distances of this stretch
    uint32 next_query;
    uint32 asked;
    uint64 rows_met;
    DrawnEntry* drawn;
    EntryReader* reader;
    float* floats;  // of so many rows as are observed at a time
    Reservoir* reservoir;
    Calibrator* calibrator;
    QueryDraw* draw;
    Calibrator::Conclusion* conclusion;
    Calibration result;
};

namespace {

template <typename Object, typename... Arguments>
Object* create_in(MemoryContext context, Arguments&&... arguments) {
    const MemoryContext previous = MemoryContextSwitchTo(context);
    Object* object = ContextOwned<Object>::make()->create(static_cast<Arguments&&>(arguments)...);
    MemoryContextSwitchTo(previous);
    return object;
}

void charge(Measuring* measuring, uint64 work) {
    measuring->left -= static_cast<int64>(work / distance_work(measuring->shape) + 1);
}

// Walking
// ------------------------------------------------------------------------------------------

// What is done with the reader's page, from entry at.entry on. False: it is not finished, and
// at.entry says where to go on.
typedef bool (*VisitPage)(Measuring* measuring, Relation index);

// Goes along the chain of a list. Each next page is pinned while its predecessor is locked, so that
// VACUUM cannot take it away in between. Pages that are left out were visited in earlier stretches:
// where VACUUM has removed some of these, as many others are missed.
MeasuringState walk_list(Measuring* measuring, Relation index, VisitPage visit) {
    WalkPlace* at = &measuring->at;
    const BlockNumber list_id = measuring->lists.lists[at->list];
    Buffer buffer = lock_page(index, list_id, BUFFER_LOCK_SHARE);
    for (uint32 number = 0;; ++number) {
        if (!is_still_of_list(index, buffer, list_id)) {
            UnlockReleaseBuffer(buffer);
            return MeasuringState::kGone;
        }
        const bool is_due = number >= at->page;
        const BlockNumber next = take_page(measuring->reader, index, buffer, is_due);
        const Buffer next_buffer = next == kNoBlock ? InvalidBuffer : pin_page(index, next);
        UnlockReleaseBuffer(buffer);
        CHECK_FOR_INTERRUPTS();
        bool goes_on = true;
        if (is_due) {
            charge(measuring, kWorkOfPage);
            goes_on = visit(measuring, index);
            if (goes_on) *at = {at->list, number + 1, 0};
        }
        if (next_buffer == InvalidBuffer && goes_on) break;
        if (!goes_on || measuring->left <= 0) {
            if (next_buffer != InvalidBuffer) ReleaseBuffer(next_buffer);
            return MeasuringState::kMore;
        }
        check_chain(index, list_id, number + 1);
        LockBuffer(next_buffer, BUFFER_LOCK_SHARE);
        buffer = next_buffer;
    }
    *at = {at->list + 1, 0, 0};
    return MeasuringState::kDone;
}

// Done when all lists were walked; the next walk starts with the first.
MeasuringState walk_lists(Measuring* measuring, Relation index, VisitPage visit) {
    while (measuring->at.list < measuring->lists.count) {
        if (measuring->left <= 0) return MeasuringState::kMore;
        const MeasuringState state = walk_list(measuring, index, visit);
        if (state != MeasuringState::kDone) return state;
    }
    measuring->at = {};
    return MeasuringState::kDone;
}

// Queries
// ------------------------------------------------------------------------------------------

bool draw_from_page(Measuring* measuring, Relation) {
    const EntryReader& reader = *measuring->reader;
    measuring->reservoir->pass(live_count(reader), [&](uint64 place, uint64 i) {
        measuring->drawn[place] = {measuring->lists.lists[measuring->at.list], reader.block,
                                   nth_live(reader, static_cast<uint32>(i))};
    });
    return true;
}

bool is_known(const EntryVector& vector) {
    return vector.floats != nullptr || vector.bits != nullptr;
}

// An entry that has gone since it was drawn asks nothing.
void ask(Measuring* measuring, Relation index, const IndexSpace* space, const DrawnEntry& drawn) {
    const Meets meets = measuring->draw->next().value();
    EntryReader* reader = measuring->reader;
    const Buffer buffer = lock_page(index, drawn.block, BUFFER_LOCK_SHARE);
    const bool is_there = is_still_of_list(index, buffer, drawn.list_id);
    if (is_there) take_page(reader, index, buffer, true);
    UnlockReleaseBuffer(buffer);
    if (!is_there || !is_live(*reader, drawn.entry)) return;
    const EntryPart part = read_part(reader, index, drawn.entry);
    if (part.codes == nullptr) return;
    run_core([&] {
        float* floats = measuring->floats;
        const EntryVector vector = decode(*reader, part, drawn.entry, floats);
        if (!is_known(vector)) return;
        measuring->calibrator->add_query_in_space(
            space, as_floats(measuring->shape, vector, floats), meets);
        ++measuring->asked;
    });
}

void start_asking(Measuring* measuring) {
    measuring->calibrator = create_in<Calibrator>(measuring->context, measuring->shape.metric,
                                                  measuring->shape.code_dims);
    measuring->draw =
        create_in<QueryDraw>(measuring->context, measuring->wanted, measuring->reservoir->drawn());
    measuring->stage = Stage::kAsk;
}

// True: all have asked.
bool ask_queries(Measuring* measuring, Relation index, const IndexSpace* space) {
    while (measuring->next_query < measuring->reservoir->drawn()) {
        if (measuring->left <= 0) return false;
        CHECK_FOR_INTERRUPTS();
        ask(measuring, index, space, measuring->drawn[measuring->next_query++]);
        charge(measuring, 3 * kWorkOfPage + measuring->shape.code_dims);
    }
    return true;
}

// What it takes to sort the lists by their distance from a query.
uint64 work_of_standing(const Measuring* measuring) {
    return measuring->lists.count * (distance_work(measuring->shape) + kWorkOfCentroid);
}

void start_placing(Measuring* measuring) {
    const std::span<const float> centroids(
        measuring->lists.centroids, uint64{measuring->lists.count} * measuring->shape.code_dims);
    run_core([&] { measuring->calibrator->begin_lists(centroids, measuring->lists.count); });
    measuring->stage = Stage::kPlace;
}

bool place_queries(Measuring* measuring) {
    while (measuring->left > 0) {
        if (!run_core([&] { return measuring->calibrator->place_query(); })) return true;
        CHECK_FOR_INTERRUPTS();
        charge(measuring, work_of_standing(measuring));
    }
    return false;
}

// Entries
// ------------------------------------------------------------------------------------------

// Of the entries of a part from `first` on those in use, up to `end`; how many there were.
uint32 observe_part(Measuring* measuring, const EntryPart& part, uint32 first) {
    const EntryReader& reader = *measuring->reader;
    const uint32 list = measuring->at.list;
    measuring->calibrator->enter_list(list);
    Calibrator::Row rows[QueryTile::kMostRows];
    size_t some = 0;
    uint32 count = 0;
    for (uint32 entry = first; entry < part.end; ++entry) {
        if (!is_live(reader, entry)) continue;
        float* floats = measuring->floats + some * measuring->shape.code_dims;
        const EntryVector vector = decode(reader, part, entry, floats);
        if (is_known(vector)) rows[some++] = {{vector.floats, vector.bits}, list};
        if (some == QueryTile::kMostRows) {
            measuring->calibrator->observe({rows, some});
            some = 0;
        }
        ++count;
    }
    measuring->calibrator->observe({rows, some});
    return count;
}

// Every full query keeps its nearest rows, among the first of which each is one.
uint64 work_of_keeping(const Measuring* measuring) {
    const uint64 most = Calibrator::kMostRows;
    return kWorkOfRow * measuring->wanted.all_rows * most / std::max(most, measuring->rows_met);
}

bool observe_page(Measuring* measuring, Relation index) {
    EntryReader* reader = measuring->reader;
    const uint64 asked = measuring->calibrator->queries_that_meet(measuring->at.list);
    uint32* entry = &measuring->at.entry;
    while ((*entry = next_live(*reader, *entry)) < entry_places(*reader)) {
        if (measuring->left <= 0) return false;
        CHECK_FOR_INTERRUPTS();
        const EntryPart part = read_part(reader, index, *entry);
        charge(measuring, kWorkOfPage);
        if (part.codes != nullptr) {
            const uint32 count = run_core([&] { return observe_part(measuring, part, *entry); });
            measuring->left -= static_cast<int64>(count * asked);
            charge(measuring, count * work_of_keeping(measuring));
            measuring->rows_met += count;
        }
        *entry = part.end;
    }
    return true;
}

// ------------------------------------------------------------------------------------------

bool conclude(Measuring* measuring) {
    if (measuring->conclusion == nullptr) {
        measuring->conclusion =
            create_in<Calibrator::Conclusion>(measuring->context, measuring->calibrator);
    }
    while (measuring->left > 0) {
        if (!run_core([&] { return measuring->conclusion->step(); })) {
            measuring->result = measuring->conclusion->calibration();
            return true;
        }
        CHECK_FOR_INTERRUPTS();
        charge(measuring, work_of_standing(measuring) + kWorkOfRow * Calibrator::kMostRows);
    }
    return false;
}

// One stage, as far as it gets.
MeasuringState advance(Measuring* measuring, Relation index, const LoadedIndex& loaded) {
    MeasuringState state = MeasuringState::kDone;
    switch (measuring->stage) {
        case Stage::kDraw:
            state = walk_lists(measuring, index, draw_from_page);
            if (state == MeasuringState::kDone) start_asking(measuring);
            return state;
        case Stage::kAsk:
            if (!ask_queries(measuring, index, loaded.space)) return MeasuringState::kMore;
            if (measuring->asked > 0) {
                start_placing(measuring);
            } else {
                measuring->stage = Stage::kDone;
            }
            return state;
        case Stage::kPlace:
            if (!place_queries(measuring)) return MeasuringState::kMore;
            measuring->stage = Stage::kRead;
            return state;
        case Stage::kRead:
            state = walk_lists(measuring, index, observe_page);
            if (state == MeasuringState::kDone) measuring->stage = Stage::kConclude;
            return state;
        case Stage::kConclude:
            if (!conclude(measuring)) return MeasuringState::kMore;
            measuring->stage = Stage::kDone;
            return state;
        case Stage::kDone:
            return state;
    }
    pg_unreachable();
}

bool is_same_index(const Measuring* measuring, const LoadedIndex& loaded) {
    return loaded.load_number == measuring->load_number &&
           (can_measure_entries(loaded) || measuring->reader->rows != nullptr);
}

}  // namespace

bool can_measure_entries(const LoadedIndex& loaded) {
    return loaded.knows_dims() && loaded.meta.leaf_count > 1 &&
           loaded.meta.content == Content::kDescriptors &&
           (is_binary(loaded.shape.metric) || loaded.shape.refine != Refine::kNone);
}

Measuring* begin_measuring(const LoadedIndex& loaded, const TreeLists& lists,
                           const MeasuringPlan& plan, MemoryContext context) {
    auto* measuring = static_cast<Measuring*>(MemoryContextAllocZero(context, sizeof(Measuring)));
    measuring->context = context;
    measuring->load_number = loaded.load_number;
    measuring->shape = loaded.shape;
    measuring->lists = lists;
    measuring->wanted = plan.queries;
    measuring->drawn = static_cast<DrawnEntry*>(
        MemoryContextAlloc(context, sizeof(DrawnEntry) * (plan.queries.sum() + 1)));
    measuring->reader = make_entry_reader(measuring->shape, plan.rows, context);
    measuring->floats = static_cast<float*>(
        MemoryContextAlloc(context, sizeof(float) * QueryTile::kMostRows * loaded.shape.code_dims));
    measuring->reservoir = create_in<Reservoir>(context, plan.queries.sum(), plan.seed);
    return measuring;
}

MeasuringState go_on_measuring(Measuring* measuring, Relation index, const LoadedIndex& loaded,
                               uint64 most_distances) {
    if (!is_same_index(measuring, loaded)) return MeasuringState::kGone;
    measuring->left = static_cast<int64>(std::max<uint64>(most_distances, 1));
    while (measuring->stage != Stage::kDone) {
        if (measuring->left <= 0) return MeasuringState::kMore;
        const MeasuringState state = advance(measuring, index, loaded);
        if (state != MeasuringState::kDone) return state;
    }
    return MeasuringState::kDone;
}

Calibration end_measuring(const Measuring* measuring) {
    return measuring->result;
}

double distances_of_all(const LoadedIndex& loaded, const QueryCounts& queries, uint64 rows) {
    const double lists = loaded.meta.leaf_count;
    const double near = static_cast<double>(near_list_count(loaded.meta.leaf_count)) / lists;
    const auto full = static_cast<double>(queries.all_rows);
    const double all = static_cast<double>(rows);
    const double distances = all * (full + static_cast<double>(queries.near_lists) * near);
    // Lists are sorted by their distance when a query is placed, and when it is looked at.
    const double sorting = static_cast<double>(2 * queries.sum()) * lists;
    constexpr double kMostRows = Calibrator::kMostRows;
    const double kept = full * kMostRows * (1 + std::log(std::max(all / kMostRows, 1.0)));
    const auto of_distance = static_cast<double>(distance_work(loaded.shape));
    return distances + sorting * (1 + kWorkOfCentroid / of_distance) +
           kept * kWorkOfRow / of_distance;
}

uint64 distances_within(const IndexShape& shape, uint32 milliseconds) {
    return milliseconds * kWorkPerMillisecond / distance_work(shape);
}

}  // namespace lookalike
