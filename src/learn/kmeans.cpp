#include "learn/kmeans.h"

#include <faiss/IndexFlat.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/vector/distance_kernels.h"
#include "learn/assign.h"
#include "learn/start.h"

namespace lookalike {
namespace {

// Lists near its own that a row may move to, and the iteration in which it may move to any again,
// as the first have taken the lists away from where they started.
constexpr size_t kNearbyLists = 32;
constexpr int kExactAgain = 2;
// After so many iterations it is asked again which lists these are. Before that lists move from
// where rows are few to where they are many, unless too few iterations are left for them to settle.
constexpr int kNearbyFor = 5;
// Clusters: every third iteration, the last one among them, is exact. Without that the sum of
// squared distances is 1.4 % above what exact iterations reach, with it 0.5 %.
constexpr int kClustersNearbyFor = 3;
// A list of so many times the mean number of rows is halved ...
constexpr double kLarge = 1.5;
// ... along the way to its farthest row, by two centroids that lie this share of it off the middle.
constexpr float kOffMiddle = 1.0f / 16;
constexpr size_t kSettlingIterations = 5;
constexpr size_t kSummedAtOnce = 32;  // elements of a row

/// Counts the steps of one training over all its parts.
class Steps {
  public:
    Steps(const KmeansOptions& options, size_t step_count)
        : options_(options), step_count_(step_count) {}

    void finish_one() {
        ++step_;
        if (options_.progress) options_.progress(std::min(step_, step_count_), step_count_);
    }

  private:
    const KmeansOptions& options_;
    size_t step_ = 0;
    size_t step_count_;
};

/// Lists while they are learned.
struct Lists {
    std::vector<float> centroids;
    std::vector<uint32_t> list_ids;  ///< of each row
};

void assign_exactly(const RowsView& rows, Lists& lists) {
    std::vector<float> distances(rows.row_count);
    Assigner(lists.centroids, rows.dims).assign(rows, lists.list_ids, distances);
}

/// For each list those nearest to it, itself among them.
std::vector<uint32_t> nearby_lists(const Lists& lists, size_t dims) {
    const size_t list_count = lists.centroids.size() / dims;
    const size_t count = std::min(kNearbyLists, list_count);
    faiss::IndexFlatL2 index(static_cast<int64_t>(dims));
    index.add(static_cast<int64_t>(list_count), lists.centroids.data());
    std::vector<int64_t> labels(list_count * count);
    std::vector<float> distances(list_count * count);
    index.search(static_cast<int64_t>(list_count), lists.centroids.data(),
                 static_cast<int64_t>(count), distances.data(), labels.data());
    return {labels.begin(), labels.end()};
}

/// Each row goes to the nearest of the lists near its own: once lists have found their place, that
/// is nearly always the nearest of all.
void assign_nearby(const RowsView& rows, Lists& lists, const std::vector<uint32_t>& nearby) {
    const size_t count = nearby.size() / (lists.centroids.size() / rows.dims);
#pragma omp parallel for
    for (size_t i = 0; i < rows.row_count; ++i) {
        uint32_t nearest = lists.list_ids[i];
        float least = std::numeric_limits<float>::infinity();
        for (size_t n = nearest * count, end = n + count; n < end; ++n) {
            const float distance =
                l2_squared(rows.row(i), &lists.centroids[nearby[n] * rows.dims], rows.dims);
            if (distance < least) {
                least = distance;
                nearest = nearby[n];
            }
        }
        lists.list_ids[i] = nearest;
    }
}

/// Rows that cancel each other out leave a centroid without direction where it is.
void make_unit(std::span<float> centroid) {
    const float square = dot(centroid.data(), centroid.data(), centroid.size());
    if (!(square > 0)) return;
    const float scale = 1 / std::sqrt(square);
    for (float& element : centroid)
        element *= scale;
}

/// A list that has lost its rows stays where it is, until move_small_lists(). Sums in double: the
/// rows may be many. Each list is one thread's, so threads do not change the sums.
void move_to_means(const RowsView& rows, Lists& lists, LearnAim aim) {
    const size_t list_count = lists.centroids.size() / rows.dims;
    std::vector<size_t> ends(list_count + 1);
    for (const uint32_t list : lists.list_ids)
        ++ends[list + 1];
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    std::vector<uint32_t> by_list(rows.row_count);
    for (size_t i = 0; i < rows.row_count; ++i)
        by_list[ends[lists.list_ids[i]]++] = static_cast<uint32_t>(i);
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t list = 0; list < list_count; ++list) {
        const size_t begin = list == 0 ? 0 : ends[list - 1];
        const std::span<const uint32_t> members(by_list.data() + begin, ends[list] - begin);
        for (size_t d = 0; d < rows.dims && !members.empty(); d += kSummedAtOnce) {
            const size_t width = std::min(kSummedAtOnce, rows.dims - d);
            double sums[kSummedAtOnce] = {};
            for (const uint32_t member : members) {
                for (size_t k = 0; k < width; ++k)
                    sums[k] += rows.row(member)[d + k];
            }
            for (size_t k = 0; k < width; ++k)
                lists.centroids[list * rows.dims + d + k] =
                    static_cast<float>(sums[k] / static_cast<double>(members.size()));
        }
        if (aim == LearnAim::kDirections)
            make_unit(std::span(lists.centroids).subspan(list * rows.dims, rows.dims));
    }
}

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

std::vector<uint32_t> row_counts(const Lists& lists, size_t list_count) {
    std::vector<uint32_t> counts(list_count);
    for (const uint32_t list : lists.list_ids)
        ++counts[list];
    return counts;
}

/// For each list of at least so many rows the one that lies farthest from its centroid. kNone where
/// all equal it, and for smaller lists.
std::vector<uint32_t> farthest_rows(const RowsView& rows, const Lists& lists,
                                    const std::vector<uint32_t>& counts, double least_count) {
    std::vector<float> distances(rows.row_count);
#pragma omp parallel for
    for (size_t i = 0; i < rows.row_count; ++i) {
        const size_t list = lists.list_ids[i];
        if (counts[list] < least_count) continue;
        distances[i] = l2_squared(rows.row(i), &lists.centroids[list * rows.dims], rows.dims);
    }
    std::vector<uint32_t> farthest(counts.size(), kNone);
    std::vector<float> reached(counts.size());
    for (size_t i = 0; i < rows.row_count; ++i) {
        const uint32_t list = lists.list_ids[i];
        if (distances[i] <= reached[list]) continue;
        reached[list] = distances[i];
        farthest[list] = static_cast<uint32_t>(i);
    }
    return farthest;
}

/// For each list the one that it is to halve, or kNone: the smallest go to the largest that have a
/// farthest row. Queries open a list about as often as it has rows, so they scan the square of its
/// rows. To halve a list of n rows saves n^2 / 2. To spread m rows over lists of the mean costs 2 m
/// times the mean. Of clusters only those without rows move.
std::vector<uint32_t> lists_to_halve(const std::vector<uint32_t>& counts, double mean,
                                     const std::vector<uint32_t>& farthest, LearnAim aim) {
    std::vector<uint32_t> by_count(counts.size());
    std::iota(by_count.begin(), by_count.end(), 0);
    std::ranges::stable_sort(by_count, {}, [&](uint32_t list) { return counts[list]; });
    std::vector<uint32_t> to_halve(counts.size(), kNone);
    for (size_t small = 0, large = counts.size() - 1; small < large; --large) {
        const uint32_t list = by_count[large];
        const double count = counts[list];
        if (aim != LearnAim::kLists && counts[by_count[small]] > 0) break;
        if (count < kLarge * mean || count * count / 2 <= 2 * mean * counts[by_count[small]]) break;
        if (farthest[list] != kNone) to_halve[by_count[small++]] = list;
    }
    return to_halve;
}

void halve(std::span<float> centroid, std::span<float> mover, std::span<const float> farthest) {
    for (size_t d = 0; d < centroid.size(); ++d) {
        const float off = kOffMiddle * (farthest[d] - centroid[d]);
        mover[d] = centroid[d] - off;
        centroid[d] += off;
    }
    // Closer than floats can tell.
    if (std::ranges::equal(centroid, mover)) std::ranges::copy(farthest, mover.begin());
}

/// Evens out how many rows lists have. Rows of a list that moves away go to the nearest that does
/// not.
void move_small_lists(const RowsView& rows, Lists& lists, const std::vector<uint32_t>& nearby,
                      LearnAim aim) {
    const size_t list_count = lists.centroids.size() / rows.dims;
    const double mean = static_cast<double>(rows.row_count) / static_cast<double>(list_count);
    const std::vector<uint32_t> counts = row_counts(lists, list_count);
    const std::vector<uint32_t> farthest = farthest_rows(rows, lists, counts, kLarge * mean);
    const std::vector<uint32_t> to_halve = lists_to_halve(counts, mean, farthest, aim);
    const size_t count = nearby.size() / list_count;
    std::vector<uint32_t> successors(list_count);
    std::iota(successors.begin(), successors.end(), 0);
    for (size_t list = 0; list < list_count; ++list) {
        if (to_halve[list] == kNone) continue;
        const auto near = std::span(nearby).subspan(list * count, count);
        const auto stays = [&](uint32_t other) { return to_halve[other] == kNone; };
        const auto next = std::ranges::find_if(near, stays);
        successors[list] = next == near.end() ? to_halve[list] : *next;
        const auto centroid = [&](size_t of) {
            return std::span(lists.centroids).subspan(of * rows.dims, rows.dims);
        };
        halve(centroid(to_halve[list]), centroid(list), rows.span(farthest[to_halve[list]]));
    }
    for (uint32_t& list : lists.list_ids)
        list = successors[list];
}

Lists train_one_level(const RowsView& rows, std::vector<uint32_t> distinct, size_t list_count,
                      const KmeansOptions& options, const std::function<void()>& iteration_done) {
    list_count = std::min(list_count, distinct.size());
    const bool nothing_to_learn = list_count == distinct.size();
    const bool are_clusters = options.aim != LearnAim::kLists;
    const auto choose = are_clusters ? spread_centroids : random_centroids;
    Lists lists{choose(rows, std::move(distinct), list_count, options.seed),
                std::vector<uint32_t>(rows.row_count)};
    if (nothing_to_learn) {
        assign_exactly(rows, lists);
        return lists;
    }
    const int nearby_for = are_clusters ? kClustersNearbyFor : kNearbyFor;
    std::vector<uint32_t> nearby, list_ids_before;
    for (int i = 0; i < options.iteration_count; ++i) {
        const bool is_exact =
            i == 0 || i == kExactAgain || (are_clusters && i % kClustersNearbyFor == kExactAgain);
        if (is_exact) {
            assign_exactly(rows, lists);
        } else {
            const bool asked_again = i % nearby_for == 0;
            if (asked_again && i + nearby_for <= options.iteration_count)
                move_small_lists(rows, lists, nearby, options.aim);
            if (i <= kExactAgain + 1 || asked_again) nearby = nearby_lists(lists, rows.dims);
            assign_nearby(rows, lists, nearby);
        }
        move_to_means(rows, lists, options.aim);
        if (iteration_done) iteration_done();
        if (are_clusters && is_exact && lists.list_ids == list_ids_before) break;
        if (are_clusters) list_ids_before = lists.list_ids;
    }
    return lists;
}

/// One part of the rows, those nearest to one coarse centroid.
struct Part {
    std::vector<uint32_t> row_indices;
    size_t distinct_count = 0;
    size_t list_count = 0;
};

/// Shares list_count among the parts in proportion to their rows, but gives none more lists than it
/// has distinct rows, nor fewer than one. REQUIRES: list_count <= sum of distinct_count.
void share_lists(std::vector<Part>& parts, size_t row_count, size_t list_count) {
    size_t shared = 0;
    for (Part& part : parts) {
        const size_t fair = list_count * part.row_indices.size() / row_count;
        part.list_count = std::min(std::max<size_t>(fair, 1), part.distinct_count);
        shared += part.list_count;
    }
    // What rounding and the limits left over or took too much goes one by one to or from the part
    // with the most or the fewest rows a list.
    const auto rows_per_list = [](const Part& part, size_t lists) {
        return static_cast<double>(part.row_indices.size()) / static_cast<double>(lists);
    };
    for (; shared < list_count; ++shared) {
        Part* neediest = nullptr;
        for (Part& part : parts) {
            if (part.list_count == part.distinct_count) continue;
            if (!neediest || rows_per_list(part, part.list_count + 1) >
                                 rows_per_list(*neediest, neediest->list_count + 1))
                neediest = &part;
        }
        ++neediest->list_count;
    }
    for (; shared > list_count; --shared) {
        Part* richest = nullptr;
        for (Part& part : parts) {
            if (part.list_count <= 1) continue;
            if (!richest ||
                rows_per_list(part, part.list_count) < rows_per_list(*richest, richest->list_count))
                richest = &part;
        }
        --richest->list_count;
    }
}

std::vector<Part> split_into_parts(const RowsView& rows, const std::vector<uint32_t>& distinct,
                                   std::vector<float> coarse_centroids) {
    Assigner assigner(std::move(coarse_centroids), rows.dims);
    std::vector<uint32_t> part_ids(rows.row_count);
    std::vector<float> distances(rows.row_count);
    assigner.assign(rows, part_ids, distances);
    std::vector<Part> parts(assigner.list_count());
    for (size_t i = 0; i < rows.row_count; ++i)
        parts[part_ids[i]].row_indices.push_back(static_cast<uint32_t>(i));
    for (const uint32_t index : distinct)
        ++parts[part_ids[index]].distinct_count;
    std::erase_if(parts, [](const Part& part) { return part.row_indices.empty(); });
    return parts;
}

/// k-means of the rows into sqrt(lists) parts, then of each part: list_count^1.5 instead of
/// list_count^2 distances for each row that a list has. Then rows move over the borders of the
/// parts.
std::vector<float> train_two_levels(const RowsView& rows, const std::vector<uint32_t>& distinct,
                                    const KmeansOptions& options) {
    const auto part_count = static_cast<size_t>(std::sqrt(static_cast<double>(options.list_count)));
    const auto iterations = static_cast<size_t>(options.iteration_count);
    Steps steps(options, iterations + part_count + kSettlingIterations);
    const auto finish_step = [&steps] { steps.finish_one(); };
    std::vector<Part> parts = split_into_parts(
        rows, distinct,
        train_one_level(rows, distinct, part_count, options, finish_step).centroids);
    share_lists(parts, rows.row_count, options.list_count);

    Lists lists{{}, std::vector<uint32_t>(rows.row_count)};
    lists.centroids.reserve(options.list_count * rows.dims);
    std::vector<float> values;
    for (const Part& part : parts) {
        values.clear();
        values.reserve(part.row_indices.size() * rows.dims);
        for (const uint32_t index : part.row_indices) {
            const auto row = rows.span(index);
            values.insert(values.end(), row.begin(), row.end());
        }
        const RowsView part_rows{values.data(), part.row_indices.size(), rows.dims};
        const Lists learned =
            train_one_level(part_rows, distinct_rows(part_rows), part.list_count, options, nullptr);
        const auto first = static_cast<uint32_t>(lists.centroids.size() / rows.dims);
        for (size_t i = 0; i < part.row_indices.size(); ++i)
            lists.list_ids[part.row_indices[i]] = first + learned.list_ids[i];
        lists.centroids.insert(lists.centroids.end(), learned.centroids.begin(),
                               learned.centroids.end());
        finish_step();
    }
    move_small_lists(rows, lists, nearby_lists(lists, rows.dims), options.aim);
    const std::vector<uint32_t> nearby = nearby_lists(lists, rows.dims);
    for (size_t i = 0; i < kSettlingIterations; ++i) {
        assign_nearby(rows, lists, nearby);
        move_to_means(rows, lists, options.aim);
        finish_step();
    }
    return std::move(lists.centroids);
}

}  // namespace

std::vector<float> train_centroids(const RowsView& rows, const KmeansOptions& options) {
    check_rows(rows);
    std::vector<uint32_t> distinct = distinct_rows(rows);
    if (options.list_count > options.one_level_lists && options.list_count < distinct.size())
        return train_two_levels(rows, distinct, options);
    Steps steps(options, static_cast<size_t>(options.iteration_count));
    return train_one_level(rows, std::move(distinct), options.list_count, options,
                           [&steps] { steps.finish_one(); })
        .centroids;
}

}  // namespace lookalike
