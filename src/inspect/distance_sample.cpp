#include "inspect/distance_sample.h"

extern "C" {
#include "access/tableam.h"
#include "catalog/index.h"
#include "storage/bufmgr.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
}

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "am/row_entries.h"
#include "core/measure/calibrator.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

constexpr uint64 kSampleSeed = 20150603;
constexpr uint64 kMostSampleRows = 5000;
constexpr uint64 kFewestSampleRows = 256;
constexpr uint64 kMostSampleBytes = 16 << 20;
// Of a larger table, stretches at equal intervals.
constexpr BlockNumber kMostBlocks = 1024;
constexpr BlockNumber kFewestBlocks = 64;
constexpr BlockNumber kBlocksOfStretch = 4;
// Multiplications of vectors: some 20 ms.
constexpr double kWork = 2e8;
constexpr uint64 kFewestQueries = 20;
constexpr uint64 kMostQueries = 300;
constexpr uint64 kMostQueriesOfFewRows = 100;  // which each statement measures anew

struct DistanceSample {
    const InspectedIndex* inspected;
    uint32 table_count;  // that share the work
    const LoadedIndex* loaded;
    MemoryContext row_context;
    std::mt19937_64* random;
    uint64 wanted;
    uint64 rows_seen;
    uint64 row_count;
    float* rows;  // wanted x dims, as SQL has them; bits as -1 and 1

    const float* row(uint64 number) const { return rows + number * loaded->meta.dims; }
};

void take_row(Relation index, ItemPointer, Datum* values, bool* is_null, bool, void* argument) {
    auto* sample = static_cast<DistanceSample*>(argument);
    if (!has_value(is_null)) return;
    uint64 place = sample->row_count;
    if (place == sample->wanted) {
        place = (*sample->random)() % (sample->rows_seen + 1);
        if (place >= sample->wanted) {
            ++sample->rows_seen;
            return;
        }
    }
    const MemoryContext previous = MemoryContextSwitchTo(sample->row_context);
    // Not kept: the index's expressions may drive it out of the cache.
    sample->loaded = load_index(index);
    const RowEntry entry = *read_row(index, *sample->loaded, values, is_null).begin();
    if (entry.list_class == ListClass::kLeaf) {
        ++sample->rows_seen;
        sample->row_count = std::max(sample->row_count, place + 1);
        copy_elements(entry, sample->rows + place * sample->loaded->meta.dims);
    }
    MemoryContextSwitchTo(previous);
    MemoryContextReset(sample->row_context);
}

// Returns the number of rows of the table that these let expect.
double read_sample(DistanceSample* sample) {
    Relation heap = sample->inspected->heap;
    Relation index = sample->inspected->index;
    IndexInfo* info = BuildIndexInfo(index);
    info->ii_Concurrent = true;  // as a snapshot says, not by the rows' own state
    const BlockNumber blocks = RelationGetNumberOfBlocks(heap);
    const BlockNumber most = std::max(kMostBlocks / sample->table_count, kFewestBlocks);
    const bool is_whole = blocks <= most;
    const BlockNumber stretches = is_whole ? 1 : most / kBlocksOfStretch;
    const BlockNumber length = is_whole ? blocks : kBlocksOfStretch;
    for (uint64 i = 0; i < stretches && blocks > 0; ++i) {
        const auto start =
            static_cast<BlockNumber>(stretches == 1 ? 0 : i * (blocks - length) / (stretches - 1));
        table_index_build_range_scan(heap, index, info, false, false, false, start, length,
                                     take_row, sample, nullptr);
    }
    if (is_whole) return static_cast<double>(sample->rows_seen);
    return static_cast<double>(sample->rows_seen) * blocks / (double{1} * stretches * length);
}

Calibration measure(const DistanceSample& sample) {
    const LoadedIndex* loaded = load_index(sample.inspected->index);
    const IndexSpace* space = loaded->space;
    const uint32 code_dims = loaded->shape.code_dims;
    const double query_work =
        static_cast<double>(sample.row_count) * code_dims * sample.table_count;
    const uint64 most = sample.row_count < kFewestSampleRows ? kMostQueriesOfFewRows : kMostQueries;
    const uint64 queries = std::min(
        sample.row_count, static_cast<uint64>(std::clamp(
                              kWork / query_work, double{1} * kFewestQueries, double{1} * most)));
    auto* calibrator = ContextOwned<Calibrator>::make()->create(loaded->meta.metric, code_dims);
    auto* buffer = ContextOwned<std::vector<float>>::make()->create(code_dims);
    return run_core([&] {
        for (uint64 i = 0; i < queries; ++i)
            calibrator->add_query(space, sample.row(i * sample.row_count / queries),
                                  Meets::kAllRows);
        const std::vector<float> centroid(code_dims);
        calibrator->set_lists(centroid, 1);
        for (uint64 i = 0; i < sample.row_count; ++i) {
            if (i % 64 == 0) throw_if_cancelled();
            if (space != nullptr) space->to_space(sample.row(i), buffer->data());
            calibrator->observe(space == nullptr ? sample.row(i) : buffer->data(), 0);
        }
        return calibrator->measure(throw_if_cancelled);
    });
}

SampledDistances measure_sample(const InspectedIndex& inspected, uint32 table_count) {
    SampledDistances result{};
    DistanceSample sample{};
    sample.inspected = &inspected;
    sample.table_count = table_count;
    sample.loaded = load_index(inspected.index);
    if (!sample.loaded->knows_dims()) return result;
    sample.row_context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss sample row", ALLOCSET_DEFAULT_SIZES);
    sample.random = ContextOwned<std::mt19937_64>::make()->create(kSampleSeed);
    const uint64 row_bytes = sizeof(float) * sample.loaded->meta.dims;
    sample.wanted = std::min(std::max(kMostSampleRows / table_count, kFewestSampleRows),
                             kMostSampleBytes / row_bytes);
    sample.rows = static_cast<float*>(palloc(sample.wanted * row_bytes));
    result.rows = read_sample(&sample);
    if (sample.row_count < 2) return result;
    result.calibration = measure(sample);
    // Rows that are all alike: within any distance.
    float& farthest = result.calibration.share_distance.back();
    farthest = std::max(farthest, std::numeric_limits<float>::min());
    return result;
}

// What a session has measured. A small table is measured for each statement anew: it takes no time,
// and a few rows more are others.
constexpr long kMostKept = 4096;  // 2 MB; then all are forgotten
struct KeptSample {
    RelationFile file;     // the key
    Calibration measured;  // what the index had measured of itself
    BlockNumber table_blocks;
    SampledDistances distances;
};
HTAB* kept = nullptr;

const KeptSample* find_kept(RelationFile file) {
    if (kept == nullptr) return nullptr;
    return static_cast<const KeptSample*>(hash_search(kept, &file, HASH_FIND, nullptr));
}

void keep(const KeptSample& sample) {
    if (kept != nullptr && hash_get_num_entries(kept) >= kMostKept) {
        hash_destroy(kept);
        kept = nullptr;
    }
    if (kept == nullptr) {
        HASHCTL control{};
        control.keysize = sizeof(RelationFile);
        control.entrysize = sizeof(KeptSample);
        kept = hash_create("faiss samples", 64, &control, HASH_ELEM | HASH_BLOBS);
    }
    *static_cast<KeptSample*>(hash_search(kept, &sample.file, HASH_ENTER, nullptr)) = sample;
}

bool is_good(const KeptSample& sample, const Calibration& measured, BlockNumber blocks) {
    return memcmp(&sample.measured, &measured, sizeof measured) == 0 &&
           blocks <= sample.table_blocks + sample.table_blocks / 8 &&
           blocks >= sample.table_blocks - sample.table_blocks / 8;
}

}  // namespace

SampledDistances sampled_distances(const InspectedIndex& inspected, uint32 table_count) {
    const RelationFile file = relation_file(inspected.index);
    const Calibration measured = calibration_of(load_index(inspected.index)->meta);
    const BlockNumber blocks = RelationGetNumberOfBlocks(inspected.heap);
    const KeptSample* sample = find_kept(file);
    if (sample != nullptr && is_good(*sample, measured, blocks)) return sample->distances;
    const MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "faiss sample", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext previous = MemoryContextSwitchTo(context);
    const SampledDistances distances = measure_sample(inspected, table_count);
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(context);
    if (distances.calibration.row_count >= kFewestSampleRows) {
        keep({file, measured, blocks, distances});
    }
    return distances;
}

}  // namespace lookalike
