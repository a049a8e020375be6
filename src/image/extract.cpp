// Specifications to descriptors: decodes once, runs each part, puts the parts together.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/img_hash/phash.hpp>
#include <opencv2/imgcodecs.hpp>

#include "image/color.h"
#include "image/decode.h"
#include "image/image.h"
#include "image/model_store.h"
#include "image/network_input.h"
#include "image/opencv_setup.h"
#include "image/pattern.h"

namespace lookalike {
namespace {

constexpr uint32_t kPhashDims = 64;

constexpr ExtractorInfo kExtractors[] = {
    {"color", 1, kColorDims, Kind::kReal, Metric::kL2,
     "which colours there are and roughly where; for pictures in the same colours"},
    {"pattern", 1, kPatternDims, Kind::kReal, Metric::kL2,
     "texture and shape whatever the colours; for the same design in another colourway"},
    {"phash", 1, kPhashDims, Kind::kBit, Metric::kHamming,
     "perceptual hash; for copies of one picture that were scaled or compressed again"},
};

// What computes the real numbers of the built-in extractors that do not give bits.
using ExtractFunction = void (*)(const cv::Mat& working, std::span<float> out);
struct RealExtractor {
    std::string_view name;
    ExtractFunction extract;
};
constexpr RealExtractor kRealExtractors[] = {{"color", extract_color},
                                             {"pattern", extract_pattern}};

constexpr const RealExtractor* find_real_extractor(std::string_view name) {
    const auto* found = std::ranges::find(kRealExtractors, name, &RealExtractor::name);
    return found == std::end(kRealExtractors) ? nullptr : found;
}
static_assert(std::ranges::all_of(kExtractors, [](const ExtractorInfo& extractor) {
    return (find_real_extractor(extractor.name) == nullptr) == (extractor.kind == Kind::kBit);
}));

// Every picture is brought to about this many pixels, so that its stored size does not matter and
// a large photograph costs little more than a small one.
constexpr int kWorkingPixels = 192 * 192;
constexpr int kMinWorkingSide = 16;

const ExtractorInfo& find_extractor(const ExtractorPart& part) {
    for (const ExtractorInfo& extractor : kExtractors) {
        if (part.name == extractor.name && part.version == extractor.version) return extractor;
    }
    throw ImageError(ImageFault::kUnknownExtractor,
                     "extractor \"" + part.qualified_name() + "\" does not exist");
}

bool is_phash(const ExtractorSpec& spec) {
    return spec.parts[0].source.empty() && find_extractor(spec.parts[0]).kind == Kind::kBit;
}

cv::Mat working_image(const cv::Mat& image) {
    const double scale = std::sqrt(kWorkingPixels / (static_cast<double>(image.cols) * image.rows));
    const auto side = [scale](int pixels) {
        const int limit = kWorkingPixels / kMinWorkingSide;
        return std::clamp(static_cast<int>(std::lround(pixels * scale)), kMinWorkingSide, limit);
    };
    return resized(image, side(image.cols), side(image.rows));
}

Features extract_phash(const cv::Mat& image) {
    cv::Mat hash;
    cv::img_hash::pHash(image, hash);
    return {Kind::kBit, kPhashDims, std::vector<uint8_t>(hash.data, hash.data + kPhashDims / 8)};
}

LoadedModel& find_model(const ExtractorPart& part, ModelStore* models) {
    const std::string key = part.model_key();
    LoadedModel* model = models == nullptr ? nullptr : models->find(key);
    if (model == nullptr)
        throw ImageError(ImageFault::kModel, "image model \"" + key + "\" is not loaded");
    if (part.is_codebook() && part.source != model->codebook->kind_name())
        throw ImageError(ImageFault::kBadSpec, "codebook \"" + part.name + "@" +
                                                   std::to_string(part.version) + "\" is \"" +
                                                   model->codebook->kind_name() + "\", not \"" +
                                                   part.source + "\"");
    return *model;
}

// One part of a specification, and where in the descriptor its elements go.
struct PlannedPart {
    ExtractFunction extract;   // null for a network or a codebook
    LoadedModel* model;        // null for a built-in one
    const Codebook* codebook;  // null for anything else
    uint32_t offset;
    uint32_t dims;
    float scale;
};

struct Plan {
    std::vector<PlannedPart> parts;
    uint32_t dims;
    uint64_t wanted_pixels;  // what the part that looks closest needs
    bool wants_colors;       // false: codebooks alone, which decode pictures by themselves
};

Plan make_plan(const ExtractorSpec& spec, ModelStore* models) {
    Plan plan{.parts = {}, .dims = 0, .wanted_pixels = kWorkingPixels, .wants_colors = false};
    for (const ExtractorPart& part : spec.parts) {
        PlannedPart planned{.extract = nullptr,
                            .model = nullptr,
                            .codebook = nullptr,
                            .offset = plan.dims,
                            .dims = 0,
                            .scale = std::sqrt(part.weight)};
        plan.wants_colors |= !part.is_codebook();
        if (part.is_codebook()) {
            planned.codebook = find_model(part, models).codebook.get();
            planned.dims = planned.codebook->dims();
        } else if (part.is_network()) {
            planned.model = &find_model(part, models);
            planned.dims = planned.model->network->dims();
            const ModelConfig& config = planned.model->config;
            // What is cut away has been decoded, too.
            const uint64_t pixels = uint64_t{config.input_width} * config.input_height;
            plan.wanted_pixels = std::max(plan.wanted_pixels, config.crop ? 4 * pixels : pixels);
        } else {
            planned.extract = find_real_extractor(part.name)->extract;
            planned.dims = find_extractor(part).dims;
        }
        plan.dims += planned.dims;
        plan.parts.push_back(planned);
    }
    if (plan.dims <= kMaxDims) return plan;
    throw ImageError(ImageFault::kBadSpec, "extractor gives " + std::to_string(plan.dims) +
                                               " dimensions, at most " + std::to_string(kMaxDims) +
                                               " are allowed");
}

using Elements = std::vector<float>;

Features to_features(const Elements& elements) {
    Features features{Kind::kReal, static_cast<uint32_t>(elements.size()), {}};
    features.elements.resize(elements.size() * sizeof(float));
    std::memcpy(features.elements.data(), elements.data(), features.elements.size());
    return features;
}

std::span<float> elements_of(const PlannedPart& part, Elements& elements) {
    return std::span(elements).subspan(part.offset, part.dims);
}

// Fills in what the built-in parts and codebooks give; a network's part waits in its batch.
Elements extract_parts(std::span<const uint8_t> image, const Plan& plan, const ImageLimits& limits,
                       std::vector<NetworkInput>& batches) {
    Elements elements(plan.dims);
    cv::Mat decoded, working;
    if (plan.wants_colors) decoded = decode_opaque_image(image, limits, plan.wanted_pixels);
    for (size_t i = 0; i < plan.parts.size(); ++i) {
        const PlannedPart& part = plan.parts[i];
        if (part.codebook != nullptr) {
            part.codebook->describe(image, limits, elements_of(part, elements));
            continue;
        }
        if (part.model != nullptr) {
            batches[i].add(decoded, part.model->config);
            continue;
        }
        if (working.empty()) working = working_image(decoded);
        part.extract(working, elements_of(part, elements));
    }
    return elements;
}

// A few images at a time: enough to feed a network well, little enough to hold in memory.
constexpr size_t kBatchImages = 16;

std::vector<Elements> extract_reals(std::span<const std::span<const uint8_t>> images,
                                    const Plan& plan, const ImageLimits& limits,
                                    const std::function<void()>& image_read) {
    std::vector<NetworkInput> batches(plan.parts.size());
    std::vector<Elements> results;
    for (const auto image : images) {
        results.push_back(extract_parts(image, plan, limits, batches));
        if (image_read) image_read();
    }
    for (size_t i = 0; i < plan.parts.size(); ++i) {
        const PlannedPart& part = plan.parts[i];
        if (part.model == nullptr) continue;
        const Elements outputs = batches[i].run(*part.model);
        for (size_t k = 0; k < results.size(); ++k) {
            std::copy_n(outputs.begin() + k * part.dims, part.dims,
                        results[k].begin() + part.offset);
        }
    }
    for (Elements& elements : results) {
        for (const PlannedPart& part : plan.parts) {
            for (float& element : elements_of(part, elements)) {
                element *= part.scale;
            }
        }
    }
    return results;
}

}  // namespace

std::span<const ExtractorInfo> image_extractors() {
    return kExtractors;
}

void check_extractor_spec(const ExtractorSpec& spec) {
    for (const ExtractorPart& part : spec.parts) {
        if (!part.source.empty() || find_extractor(part).kind == Kind::kReal) continue;
        if (spec.parts.size() > 1 || part.weight != 1) {
            throw ImageError(ImageFault::kBadSpec, "extractor \"" + part.name +
                                                       "\" gives bits and cannot be weighted or "
                                                       "combined");
        }
    }
}

std::vector<Features> extract_features_batch(std::span<const std::span<const uint8_t>> images,
                                             const ExtractorSpec& spec, const ImageLimits& limits,
                                             ModelStore* models,
                                             const std::function<void()>& image_read) {
    check_extractor_spec(spec);
    std::vector<Features> features;
    features.reserve(images.size());
    if (is_phash(spec)) {
        for (const auto image : images) {
            features.push_back(extract_phash(decode_opaque_image(image, limits, kWorkingPixels)));
            if (image_read) image_read();
        }
        return features;
    }
    const Plan plan = make_plan(spec, models);
    for (size_t begin = 0; begin < images.size(); begin += kBatchImages) {
        const size_t count = std::min(kBatchImages, images.size() - begin);
        for (const Elements& elements :
             extract_reals(images.subspan(begin, count), plan, limits, image_read)) {
            features.push_back(to_features(elements));
        }
    }
    return features;
}

Features extract_features(std::span<const uint8_t> image, const ExtractorSpec& spec,
                          const ImageLimits& limits, ModelStore* models) {
    return std::move(extract_features_batch({&image, 1}, spec, limits, models).front());
}

}  // namespace lookalike
