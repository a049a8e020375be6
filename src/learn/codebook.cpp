#include "learn/codebook.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "learn/components.h"
#include "learn/kmeans.h"
#include "learn/mixture.h"
#include "learn/wide_components.h"

namespace lookalike {
namespace {

/// A codebook that is being made.
class Draft {
  public:
    Draft(std::span<const LocalFeatures> pictures, const CodebookOptions& options)
        : pictures_(pictures), options_(options) {
        header_ = {.magic = kCodebookMagic,
                   .version = kCodebookVersion,
                   .aim = options.aim,
                   .kind = options.kind,
                   .local_version = local_version(options.kind),
                   .is_reduced = 0,
                   .reserved = 0,
                   .max_features = options.max_features,
                   .word_count = options.word_count,
                   .feature_dims = 1,
                   .dims = 1,
                   .padding = 0};
    }

    std::vector<std::byte> learn() {
        learn_words();
        if (options_.aim == CodebookAim::kBow) weigh_words();
        header_.dims = static_cast<uint32_t>(word_sums(header_));
        if (options_.dims > 0) reduce();
        report(step_count());
        return bytes();
    }

  private:
    size_t step_count() const { return 2 + pictures_.size(); }
    void report(size_t step) const {
        if (options_.progress) options_.progress(step, step_count());
    }

    void learn_words();
    std::vector<float> sampled_features() const;
    void set_input_map(const Components& components);
    void set_nearest_words(std::span<const float> middles);
    void set_mixture(const Mixture& mixture);
    void weigh_words();
    void reduce();
    CodebookView so_far() const;
    std::vector<std::byte> bytes() const;

    std::span<const LocalFeatures> pictures_;
    const CodebookOptions& options_;
    CodebookHeader header_;
    std::vector<float> input_, scores_, words_, output_;
};

/// Of all features as many as are wanted, at equal distances.
std::vector<float> Draft::sampled_features() const {
    uint64_t all = 0;
    for (const LocalFeatures& picture : pictures_)
        all += picture.count();
    const uint64_t wanted = std::min(all, options_.most_features);
    std::vector<float> rows;
    rows.reserve(wanted * input_dims(options_.kind));
    uint64_t before = 0, taken = 0;
    for (const LocalFeatures& picture : pictures_) {
        for (; taken < wanted; ++taken) {
            const uint64_t place = taken * all / wanted - before;
            if (place >= picture.count()) break;
            const size_t end = rows.size();
            rows.resize(end + input_dims(options_.kind));
            feature_numbers(picture, static_cast<uint32_t>(place), rows.data() + end);
        }
        before += picture.count();
    }
    return rows;
}

void Draft::set_input_map(const Components& components) {
    const size_t dims_in = input_dims(options_.kind);
    header_.feature_dims = static_cast<uint32_t>(std::max<size_t>(components.axis_count, 1));
    const size_t dims = header_.feature_dims;
    input_.assign(map_numbers(dims_in, dims), 0.0f);
    for (size_t j = 0; j < components.axis_count; ++j) {
        double offset = 0;
        for (size_t i = 0; i < dims_in; ++i) {
            const double number = components.axes.vectors.row(j)[i];
            input_[i * dims + j] = static_cast<float>(number);
            offset -= components.mean[i] * number;
        }
        input_[dims_in * dims + j] = static_cast<float>(offset);
    }
}

/// The score of a word is the inner product less half of the middle's squared length: greatest
/// where the distance is least.
void Draft::set_nearest_words(std::span<const float> middles) {
    const size_t dims = header_.feature_dims;
    const size_t words = header_.word_count;
    scores_.assign(map_numbers(dims, words), 0.0f);
    for (size_t word = 0; word < words; ++word) {
        double squared = 0;
        for (size_t d = 0; d < dims; ++d) {
            const float number = middles[word * dims + d];
            scores_[d * words + word] = number;
            squared += double{number} * number;
        }
        scores_[dims * words + word] = static_cast<float>(-0.5 * squared);
    }
    words_.assign(middles.begin(), middles.end());
    if (options_.aim == CodebookAim::kBow) words_.assign(words, 1.0f);
}

void Draft::set_mixture(const Mixture& mixture) {
    scores_ = density_map(mixture);
    const auto to_float = [](double x) { return static_cast<float>(x); };
    words_.clear();
    std::ranges::transform(mixture.means, std::back_inserter(words_), to_float);
    std::ranges::transform(mixture.variances, std::back_inserter(words_),
                           [](double x) { return static_cast<float>(1 / std::sqrt(x)); });
    for (const double weight : mixture.weights) {
        words_.push_back(to_float(1 / std::sqrt(weight)));
        words_.push_back(to_float(1 / std::sqrt(2 * weight)));
    }
}

void Draft::learn_words() {
    std::vector<float> rows = sampled_features();
    const size_t dims_in = input_dims(options_.kind);
    Components components =
        principal_components({rows.data(), rows.size() / dims_in, dims_in}, kMaxFeatureDims);
    const size_t count = rows.size() / dims_in;
    rows = {};
    set_input_map(components);
    report(1);
    std::vector<float> points = std::move(components.coordinates);
    points.resize(count * header_.feature_dims);  // where features do not differ at all
    const RowsView view{points.data(), count, header_.feature_dims};
    const std::vector<float> middles =
        train_centroids(view, {.list_count = header_.word_count,
                               .aim = LearnAim::kClusters,
                               .progress = [&](size_t, size_t) { report(1); }});
    header_.word_count = static_cast<uint32_t>(middles.size() / header_.feature_dims);
    report(2);
    if (options_.aim != CodebookAim::kFisher) return set_nearest_words(middles);
    set_mixture(mixture_of_clusters(view, middles));
}

/// The logarithm of how few pictures have a word; more than 0, also where all have it.
void Draft::weigh_words() {
    const CodebookView view = so_far();
    std::vector<float> sums(header_.word_count);
    std::vector<uint32_t> holders(header_.word_count);
    uint32_t described = 0;
    for (size_t i = 0; i < pictures_.size(); ++i) {
        report(2 + (options_.dims > 0 ? 0 : i));
        if (pictures_[i].count() == 0) continue;
        ++described;
        add_up_words(view, pictures_[i], sums.data());
        for (size_t word = 0; word < sums.size(); ++word)
            holders[word] += sums[word] > 0;
    }
    for (size_t word = 0; word < sums.size(); ++word)
        words_[word] = static_cast<float>(1 + std::log((1.0 + described) / (1.0 + holders[word])));
}

void Draft::reduce() {
    const CodebookView view = so_far();
    const size_t length = word_sums(header_);
    std::vector<float> sums;
    for (size_t i = 0; i < pictures_.size(); ++i) {
        report(2 + i);
        if (pictures_[i].count() == 0) continue;
        if (sums.size() / length == options_.most_pictures) break;
        const size_t end = sums.size();
        sums.resize(end + length);
        add_up_words(view, pictures_[i], sums.data() + end);
    }
    ComponentMap map = map_to_components({sums.data(), sums.size() / length, length}, options_.dims,
                                         options_.whiten);
    if (map.dims == 0) return;
    header_.is_reduced = 1;
    header_.dims = map.dims;
    output_ = std::move(map.values);
}

/// Adds up words as the codebook will.
CodebookView Draft::so_far() const {
    const auto map = [](const std::vector<float>& numbers, uint32_t dims_in, uint32_t dims_out) {
        return ProjectionView{.dims_in = dims_in,
                              .dims_out = dims_out,
                              .rows = numbers.data(),
                              .offset = numbers.data() + size_t{dims_in} * dims_out};
    };
    return {.header = header_,
            .input = map(input_, input_dims(header_.kind), header_.feature_dims),
            .scores = map(scores_, score_dims(header_), header_.word_count),
            .words = words_.data(),
            .output = {}};
}

std::vector<std::byte> Draft::bytes() const {
    std::vector<std::byte> result(codebook_bytes(header_));
    std::memcpy(result.data(), &header_, sizeof(header_));
    std::byte* next = result.data() + sizeof(header_);
    for (const std::vector<float>* part : {&input_, &scores_, &words_, &output_})
        next = std::ranges::copy(std::as_bytes(std::span(*part)), next).out;
    return result;
}

}  // namespace

std::vector<std::byte> learn_codebook(std::span<const LocalFeatures> pictures,
                                      const CodebookOptions& options) {
    return Draft(pictures, options).learn();
}

}  // namespace lookalike
