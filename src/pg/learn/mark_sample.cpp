#include "pg/learn/mark_sample.h"

#include <algorithm>
#include <cstring>

#include "core/cluster/row_form.h"
#include "core/vector/projection.h"

namespace lookalike {
namespace {

/// More points gain nothing that would be worth their time.
constexpr uint64 kMostPoints = 65536;
/// Fewer marks than this are not worth a start.
constexpr uint64 kLeastCapacity = 256;

bool hash_is_less(const KeptMark& a, const KeptMark& b) {
    return a.hash < b.hash;
}

uint64 bytes_each(const MarkSample& sample) {
    const uint64 of_points = projection_training_bytes(sample.points(), sample.dims) -
                             projection_training_bytes(0, sample.dims);
    return sample.mark_bytes() + of_points + sizeof(KeptMark) + sizeof(uint64);
}

uint64 bytes_besides(const MarkSample& sample) {
    return projection_training_bytes(0, sample.dims) +
           3 * worker_projection_result_bytes(sample.dims);
}

uint64 fitting_marks(const MarkSample& sample) {
    const uint64 besides = bytes_besides(sample);
    const uint64 fitting =
        sample.memory_bytes > besides ? (sample.memory_bytes - besides) / bytes_each(sample) : 0;
    if (fitting < kLeastCapacity) {
        const uint64 needed = besides + kLeastCapacity * bytes_each(sample);
        ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
                        errmsg("cannot learn a projection of %u dimensions in " UINT64_FORMAT " MB",
                               sample.dims, sample.memory_bytes >> 20),
                        errhint("Raise \"maintenance_work_mem\" to " UINT64_FORMAT
                                " MB, or take descriptors of fewer dimensions.",
                                (needed >> 20) + 1)));
    }
    return Min(fitting, kMostPoints / sample.points());
}

void check_dims(const MarkSample& sample) {
    if (sample.dims > kMaxProjectedDims)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("cannot learn a projection of %u dimensions", sample.dims),
                        errdetail("The limit is %u.", kMaxProjectedDims)));
    const uint32 most = Min(sample.dims, kMaxComponents);
    if (sample.dims_out > most)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("dims must be between 1 and %u for descriptors of %u dimensions",
                               most, sample.dims)));
}

uint64 marks_offset(const MarkSample& sample) {
    return align_in_shared_area(sample.capacity * sample.mark_bytes());
}

uint64 result_offset(const MarkSample& sample) {
    return align_in_shared_area(marks_offset(sample) + sample.capacity * sizeof(uint64));
}

/// The first row says how many dimensions there are.
void begin_sample(MarkSample* sample, const DescriptorView& first, uint64 mark) {
    sample->dims = first.dims;
    check_dims(*sample);
    sample->capacity = fitting_marks(*sample);
    sample->first_mark = mark;
    sample->kept = static_cast<KeptMark*>(
        MemoryContextAllocHuge(CurrentMemoryContext, sample->capacity * sizeof(KeptMark)));
    sample->row = static_cast<float*>(palloc(sample->mark_bytes()));
    // One thread: sums are the same however many there could be.
    const WorkerLimits limits{
        .shared_bytes = result_offset(*sample) + worker_projection_result_bytes(sample->dims),
        .thread_count = 1,
        .memory_budget_bytes =
            projection_training_bytes(sample->capacity * sample->points(), sample->dims) +
            worker_projection_result_bytes(sample->dims)};
    sample->worker = worker_start(&limits);
}

void copy_point(const MarkSample& sample, const DescriptorView& from, float* to) {
    check_numeric(from, "projection");
    if (from.dims != sample.dims)
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                        errmsg("expected %u dimensions, not %u", sample.dims, from.dims),
                        errdetail("The rows of a query have one number of dimensions.")));
    for (uint32 i = 0; i < from.dims; ++i)
        to[i] = element_at(from, i) + 0.0f;  // -0 is 0
}

void keep_row(MarkSample* sample, uint64 hash, uint64 mark) {
    KeptMark* end = sample->kept + sample->count;
    uint32 place = static_cast<uint32>(sample->count);
    if (sample->count == sample->capacity) {
        if (hash >= sample->kept->hash) return;
        place = sample->kept->place;
        std::pop_heap(sample->kept, end, hash_is_less);
    } else {
        ++end;
        ++sample->count;
    }
    end[-1] = {hash, mark, place};
    std::push_heap(sample->kept, end, hash_is_less);
    memcpy(sample->place_of(place), sample->row, sample->mark_bytes());
}

/// The rows lie in the order of their hashes then: each goes where it belongs, round by round.
void sort_rows(MarkSample* sample) {
    std::sort_heap(sample->kept, sample->kept + sample->count, hash_is_less);
    const uint64 bytes = sample->mark_bytes();
    for (uint32 begin = 0; begin < sample->count; ++begin) {
        if (sample->kept[begin].place == begin) continue;
        CHECK_FOR_INTERRUPTS();
        memcpy(sample->row, sample->place_of(begin), bytes);
        uint32 hole = begin;
        while (sample->kept[hole].place != begin) {
            const uint32 from = sample->kept[hole].place;
            memcpy(sample->place_of(hole), sample->place_of(from), bytes);
            sample->kept[hole].place = hole;
            hole = from;
        }
        memcpy(sample->place_of(hole), sample->row, bytes);
        sample->kept[hole].place = hole;
    }
}

}  // namespace

void add_mark(MarkSample* sample, const DescriptorView& first, const DescriptorView* second,
              uint64 mark) {
    check_numeric(first, "projection");
    if (sample->worker == nullptr) begin_sample(sample, first, mark);
    copy_point(*sample, first, sample->row);
    if (second != nullptr) copy_point(*sample, *second, sample->row + sample->dims);
    ++sample->seen;
    sample->good_count += mark == 1;
    sample->marks_differ = sample->marks_differ || mark != sample->first_mark;
    const uint64 hash =
        hash_combine64(lookalike::row_hash(sample->row, sample->mark_bytes()), mark);
    keep_row(sample, hash, mark);
}

WorkerProjectionResult learn_from_marks(MarkSample* sample, float** values) {
    sort_rows(sample);
    auto* marks = reinterpret_cast<uint64*>(sample->worker->shared + marks_offset(*sample));
    for (uint64 i = 0; i < sample->count; ++i)
        marks[i] = sample->kept[i].mark;
    *values = static_cast<float*>(
        MemoryContextAllocHuge(CurrentMemoryContext, worker_projection_result_bytes(sample->dims)));
    const WorkerProjectionTraining training{.points_offset = 0,
                                            .marks_offset = marks_offset(*sample),
                                            .result_offset = result_offset(*sample),
                                            .mark_count = sample->count,
                                            .dims = sample->dims,
                                            .dims_out = sample->dims_out,
                                            .aim = sample->aim};
    const WorkerProjectionResult result =
        worker_train_projection(sample->worker, &training, *values);
    worker_stop(sample->worker);
    return result;
}

}  // namespace lookalike
