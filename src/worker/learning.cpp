#include "worker/learning.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "core/vector/projection.h"
#include "learn/codebook.h"
#include "learn/kmeans.h"
#include "learn/projection.h"

namespace lookalike {
namespace {

void require(bool condition, const char* fault) {
    if (!condition) throw ProtocolError(fault);
}

void require_shape(uint64_t list_count, uint64_t dims) {
    require(dims >= 1 && dims <= kWorkerMaxDims, "the number of dimensions is out of range");
    require(list_count >= 1 && list_count <= kWorkerMaxLists,
            "the number of lists is out of range");
}

}  // namespace

void Learning::train(const WorkerRequest& request) {
    const WorkerTrainRequest& train = request.train;
    require_shape(train.list_count, train.dims);
    require(train.row_count >= 1 && train.row_count <= std::numeric_limits<uint32_t>::max(),
            "the number of rows is out of range");
    require(train.iteration_count >= 1 && train.iteration_count <= kWorkerMaxIterations,
            "the number of iterations is out of range");
    require(train.aim <= static_cast<uint32_t>(LearnAim::kDirections), "the aim is unknown");
    const auto rows = shared_.items<const float>(train.rows_offset, train.row_count, train.dims);
    const auto target = shared_.items<float>(train.centroids_offset, train.list_count, train.dims);

    const KmeansOptions options{.list_count = train.list_count,
                                .iteration_count = static_cast<int>(train.iteration_count),
                                .aim = static_cast<LearnAim>(train.aim),
                                .progress = [&](size_t step, size_t step_count) {
                                    channel_.reply(request, {.status = WorkerStatus::kProgress,
                                                             .step = step,
                                                             .step_count = step_count});
                                }};
    const std::vector<float> centroids =
        train_centroids({rows.data(), train.row_count, train.dims}, options);
    std::copy(centroids.begin(), centroids.end(), target.begin());
    channel_.reply(request, {.status = WorkerStatus::kDone,
                             .list_count = static_cast<uint32_t>(centroids.size() / train.dims)});
}

void Learning::set_centroids(const WorkerRequest& request) {
    const WorkerSetCentroidsRequest& set = request.set_centroids;
    require_shape(set.list_count, set.dims);
    require(set.padding == 0, "a reserved field is in use");
    assigner_.reset();  // first, so that two never lie in memory at once
    bit_assigner_.reset();
    if (set.kind == static_cast<uint32_t>(Kind::kBit)) {
        require(set.dims <= kMaxBitDims, "the number of dimensions is out of range");
        const auto centroids = shared_.items<const uint64_t>(set.centroids_offset, set.list_count,
                                                             bit_row_words(set.dims));
        bit_assigner_ =
            std::make_unique<BitAssigner>(BitRowsView{centroids.data(), set.list_count, set.dims});
    } else {
        require(set.kind == static_cast<uint32_t>(Kind::kReal), "centroids are of another kind");
        const auto centroids =
            shared_.items<const float>(set.centroids_offset, set.list_count, set.dims);
        assigner_ = std::make_unique<Assigner>(centroids, set.dims);
    }
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

void Learning::assign(const WorkerRequest& request) {
    const WorkerAssignRequest& assign = request.assign;
    require(assigner_ != nullptr || bit_assigner_ != nullptr,
            "rows cannot be assigned before centroids are set");
    const Kind kind = assigner_ != nullptr ? Kind::kReal : Kind::kBit;
    require(assign.kind == static_cast<uint32_t>(kind),
            "the rows are of another kind than the centroids");
    require(assign.dims == (assigner_ != nullptr ? assigner_->dims() : bit_assigner_->dims()),
            "the rows have another number of dimensions than the centroids");
    const auto list_ids = shared_.items<uint32_t>(assign.list_ids_offset, assign.row_count);
    const auto distances = shared_.items<float>(assign.distances_offset, assign.row_count);
    if (kind == Kind::kReal) {
        const auto rows =
            shared_.items<const float>(assign.rows_offset, assign.row_count, assign.dims);
        assigner_->assign({rows.data(), assign.row_count, assign.dims}, list_ids, distances);
    } else {
        const auto rows = shared_.items<const uint64_t>(assign.rows_offset, assign.row_count,
                                                        bit_row_words(assign.dims));
        bit_assigner_->assign({rows.data(), assign.row_count, assign.dims}, list_ids, distances);
    }
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

void Learning::train_projection(const WorkerRequest& request) {
    const WorkerProjectionRequest& wanted = request.projection;
    require(wanted.dims >= 1 && wanted.dims <= kMaxProjectedDims,
            "the number of dimensions is out of range");
    require(wanted.dims_out <= std::min(wanted.dims, kMaxComponents),
            "the number of dimensions that are wanted is out of range");
    require(wanted.aim <= static_cast<uint32_t>(ProjectionAim::kComponents), "the aim is unknown");
    require(wanted.padding == 0, "a reserved field is in use");
    require(wanted.mark_count >= 1 && wanted.mark_count <= std::numeric_limits<uint32_t>::max() / 2,
            "the number of marks is out of range");
    const auto aim = static_cast<ProjectionAim>(wanted.aim);
    const uint64_t point_count = wanted.mark_count * (aim == ProjectionAim::kPairs ? 2 : 1);
    const auto points = shared_.items<const float>(wanted.points_offset, point_count, wanted.dims);
    const auto marks = shared_.items<const uint64_t>(wanted.marks_offset, wanted.mark_count);
    const uint64_t room = std::min(wanted.dims, kMaxComponents);
    const auto target = shared_.items<std::byte>(
        wanted.result_offset,
        sizeof(WorkerProjectionResult) + (wanted.dims + uint64_t{1}) * room * sizeof(float));

    const LearnedProjection learned = learn_projection(
        {points.data(), point_count, wanted.dims}, {.aim = aim, .marks = marks},
        {.dims_out = wanted.dims_out, .progress = [&](size_t step, size_t step_count) {
             channel_.reply(
                 request,
                 {.status = WorkerStatus::kProgress, .step = step, .step_count = step_count});
         }});
    const WorkerProjectionResult result{.dims_out = learned.dims_out,
                                        .padding = 0,
                                        .held_out_before = learned.held_out_before,
                                        .held_out_after = learned.held_out_after,
                                        .reserved = {}};
    std::memcpy(target.data(), &result, sizeof(result));
    std::ranges::copy(std::as_bytes(std::span(learned.values)), target.begin() + sizeof(result));
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

namespace {

/// Values of local features that the backend has put into the shared area. Their headers are
/// copied: how many features there are does not change any more.
std::vector<LocalFeatures> pictures_of(const SharedArea& shared,
                                       const WorkerCodebookRequest& wanted) {
    std::vector<LocalFeatures> pictures;
    uint64_t feature_count = 0;
    for (const WorkerRange& range :
         shared.items<const WorkerRange>(wanted.pictures_offset, wanted.picture_count)) {
        const auto bytes = shared.items<const uint8_t>(range.offset, range.byte_count);
        require(local_features_fault(bytes) == nullptr, "local features are damaged");
        pictures.push_back(view_local_features(bytes.data()));
        const LocalFeaturesHeader& header = pictures.back().header;
        require(header.kind == static_cast<LocalKind>(wanted.kind) &&
                    local_features_bytes(header.kind, header.count) == bytes.size(),
                "local features are of another kind");
        feature_count += pictures.back().count();
    }
    require(feature_count >= 1, "there are no local features");
    return pictures;
}

CodebookOptions codebook_options_of(const WorkerCodebookRequest& wanted) {
    require(is_codebook_aim(wanted.aim) && is_local_kind(wanted.kind) && wanted.whiten <= 1,
            "the kind of a codebook is unknown");
    require(wanted.padding == 0, "a reserved field is in use");
    require(wanted.word_count >= 1 && wanted.word_count <= kMaxWords,
            "the number of words is out of range");
    require(wanted.max_features >= 1 && wanted.max_features <= kMaxLocalFeatures &&
                wanted.most_features >= 1 && wanted.most_pictures >= 1,
            "the number of features is out of range");
    require(wanted.dims <= kMaxDims, "the number of dimensions is out of range");
    return {.aim = static_cast<CodebookAim>(wanted.aim),
            .kind = static_cast<LocalKind>(wanted.kind),
            .max_features = wanted.max_features,
            .word_count = wanted.word_count,
            .dims = wanted.dims,
            .whiten = wanted.whiten != 0,
            .most_features = wanted.most_features,
            .most_pictures = wanted.most_pictures};
}

}  // namespace

void Learning::train_codebook(const WorkerRequest& request) {
    const WorkerCodebookRequest& wanted = request.codebook;
    CodebookOptions options = codebook_options_of(wanted);
    options.progress = [&](size_t step, size_t step_count) {
        channel_.reply(request,
                       {.status = WorkerStatus::kProgress, .step = step, .step_count = step_count});
    };
    const std::vector<std::byte> codebook = learn_codebook(pictures_of(shared_, wanted), options);
    const auto room = shared_.items<std::byte>(wanted.result_offset, wanted.result_bytes);
    const WorkerCodebookResult result{.byte_count = codebook.size(), .reserved = {}};
    require(room.size() >= sizeof(result) && room.size() - sizeof(result) >= codebook.size(),
            "the result does not fit into its place");
    std::memcpy(room.data(), &result, sizeof(result));
    std::ranges::copy(codebook, room.begin() + sizeof(result));
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

}  // namespace lookalike
