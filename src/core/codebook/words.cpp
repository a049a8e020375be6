// The words of a picture, and what becomes of them.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/codebook/codebook.h"
#include "core/vector/unit_length.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

/// Features between two looks at whether to end.
constexpr uint32_t kFeaturesAtOnce = 32;
/// A word's share of a feature below this is none.
constexpr double kLeastShare = 1e-4;

class WordSums {
  public:
    WordSums(const CodebookView& codebook, float* sums)
        : codebook_(codebook),
          words_(codebook.header.word_count),
          dims_(codebook.header.feature_dims),
          sums_(sums),
          scores_(words_) {
        std::fill_n(sums, word_sums(codebook.header), 0.0f);
    }

    void add(const LocalFeatures& features, uint32_t index) {
        map_feature(codebook_, features, index, feature_.data());
        if (codebook_.header.aim == CodebookAim::kFisher)
            for (uint32_t d = 0; d < dims_; ++d)
                feature_[dims_ + d] = feature_[d] * feature_[d];
        project(codebook_.scores, feature_.data(), scores_.data());
        if (codebook_.header.aim == CodebookAim::kFisher) return add_shares();
        const auto word = static_cast<uint32_t>(std::max_element(scores_.begin(), scores_.end()) -
                                                scores_.begin());
        if (codebook_.header.aim == CodebookAim::kBow) {
            sums_[word] += 1;
        } else {
            add_residual(word);
        }
    }

    void finish(uint32_t feature_count) {
        switch (codebook_.header.aim) {
            case CodebookAim::kBow:
                for (uint32_t word = 0; word < words_; ++word)
                    sums_[word] = std::sqrt(sums_[word]) * codebook_.words[word];
                break;
            case CodebookAim::kVlad:
                for (uint32_t word = 0; word < words_; ++word)
                    scale_to_unit_length({sums_ + word * dims_, dims_});
                take_roots();
                break;
            case CodebookAim::kFisher:
                scale_words(feature_count);
                take_roots();
                break;
        }
        scale_to_unit_length({sums_, word_sums(codebook_.header)});
    }

  private:
    void add_residual(uint32_t word) {
        const float* middle = codebook_.words + word * dims_;
        float* sum = sums_ + word * dims_;
        for (uint32_t d = 0; d < dims_; ++d)
            sum[d] += feature_[d] - middle[d];
    }

    /// Scores are logarithms of what the words have of the feature.
    void add_shares() {
        const float greatest = *std::max_element(scores_.begin(), scores_.end());
        double whole = 0;
        for (float& score : scores_) {
            score = std::exp(score - greatest);
            whole += score;
        }
        for (uint32_t word = 0; word < words_; ++word)
            if (const double share = scores_[word] / whole; share >= kLeastShare)
                add_share(word, static_cast<float>(share));
    }

    void add_share(uint32_t word, float share) {
        const float* middle = codebook_.words + word * dims_;
        const float* factor = codebook_.words + (words_ + word) * dims_;
        float* first = sums_ + 2 * word * dims_;
        float* second = first + dims_;
        for (uint32_t d = 0; d < dims_; ++d) {
            const float place = (feature_[d] - middle[d]) * factor[d];
            first[d] += share * place;
            second[d] += share * (place * place - 1);
        }
    }

    void scale_words(uint32_t feature_count) {
        const float* factors = codebook_.words + 2 * size_t{words_} * dims_;
        for (uint32_t half = 0; half < 2 * words_; ++half)
            for (uint32_t d = 0; d < dims_; ++d)
                sums_[half * dims_ + d] *=
                    factors[half] / static_cast<float>(std::max(feature_count, 1u));
    }

    /// What is frequent in a picture says less for being so.
    void take_roots() {
        const uint64_t count = word_sums(codebook_.header);
        for (uint64_t i = 0; i < count; ++i)
            sums_[i] = std::copysign(std::sqrt(std::abs(sums_[i])), sums_[i]);
    }

    const CodebookView& codebook_;
    const uint32_t words_;
    const uint32_t dims_;
    float* const sums_;
    std::vector<float> scores_;
    std::array<float, 2 * kMaxFeatureDims> feature_{};
};

}  // namespace

void feature_numbers(const LocalFeatures& features, uint32_t index, float* numbers) {
    const uint8_t* bytes = features.descriptor(index);
    if (features.kind() == LocalKind::kOrb) {
        for (uint32_t bit = 0; bit < 256; ++bit)
            numbers[bit] = (bytes[bit / 8] >> (7 - bit % 8) & 1) != 0 ? 0.0625f : -0.0625f;
    } else {
        for (uint32_t i = 0; i < 128; ++i)
            numbers[i] = static_cast<float>(bytes[i]) / 512;
    }
}

void map_feature(const CodebookView& codebook, const LocalFeatures& features, uint32_t index,
                 float* result) {
    std::array<float, 256> numbers;
    feature_numbers(features, index, numbers.data());
    project(codebook.input, numbers.data(), result);
}

void add_up_words(const CodebookView& codebook, const LocalFeatures& features, float* sums,
                  CheckForEnd check) {
    WordSums words(codebook, sums);
    for (uint32_t i = 0; i < features.count(); ++i) {
        if (check != nullptr && i % kFeaturesAtOnce == 0) check();
        words.add(features, i);
    }
    words.finish(features.count());
}

void describe_by_words(const CodebookView& codebook, const LocalFeatures& features, float* result,
                       CheckForEnd check) {
    if (!codebook.header.is_reduced) return add_up_words(codebook, features, result, check);
    std::vector<float> sums(word_sums(codebook.header));
    add_up_words(codebook, features, sums.data(), check);
    project(codebook.output, sums.data(), result);
    scale_to_unit_length({result, codebook.header.dims});
}

}  // namespace lookalike
