#include "worker/images.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "image/image.h"
#include "image/local_extract.h"
#include "image/match_drawing.h"

namespace lookalike {
namespace {

void require(bool condition, const char* fault) {
    if (!condition) throw ProtocolError(fault);
}

/// A text of the shared area that must end with a zero, copied.
template <size_t kSize>
std::string text_of(const char (&field)[kSize]) {
    require(std::memchr(field, 0, kSize) != nullptr, "a text has no end");
    return field;
}

/// Networks of texts and codebooks have keys of their own.
std::string key_of(const WorkerModelConfig& config) {
    const std::string key = text_of(config.key);
    require(key.starts_with("text:") == (config.tokenizer != 0) &&
                key.starts_with("codebook:") == (config.codebook == 1) && config.codebook <= 1,
            "a network's key is of another kind");
    return key;
}

ExtractorSpec spec_of(const SharedArea& shared, const WorkerImageRequest& image) {
    require(image.spec_bytes <= kWorkerMaxSpecBytes, "a specification is too long");
    const auto text = shared.items<const char>(image.spec_offset, image.spec_bytes);
    ExtractorSpec spec = parse_extractor_spec({text.data(), text.size()});
    check_extractor_spec(spec);
    return spec;
}

LocalExtraction local_extraction_of(const WorkerImageRequest& image) {
    require(is_local_kind(image.local_kind), "the kind of local features is unknown");
    require(image.max_features <= kMaxLocalFeatures, "the number of features is out of range");
    return {.kind = static_cast<LocalKind>(image.local_kind),
            .max_features = image.max_features,
            .mirrored = image.mirrored != 0};
}

/// The one network that a text is for.
ExtractorPart text_part_of(const ExtractorSpec& spec) {
    const ExtractorPart& part = spec.parts[0];
    if (spec.parts.size() == 1 && part.is_network() && part.weight == 1) return part;
    throw ImageError(ImageFault::kBadSpec,
                     "a text has features by one network, such as \"net:clip@1\"");
}

std::string_view characters(std::span<const uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

ImageLimits Images::limits_of(const WorkerImageRequest& image) const {
    return {.max_pixels = image.max_pixels, .max_bytes = memory_bytes_};
}

std::span<const uint8_t> Images::only_image(const WorkerImageRequest& image) const {
    require(image.image_count == 1, "a request must name one image");
    const WorkerRange range = shared_.items<const WorkerRange>(image.images_offset, 1)[0];
    return shared_.items<const uint8_t>(range.offset, range.byte_count);
}

std::vector<std::span<const uint8_t>> Images::all_images(const WorkerImageRequest& image) const {
    require(image.image_count >= 1 && image.image_count <= kWorkerMaxImages,
            "the number of images is out of range");
    std::vector<std::span<const uint8_t>> images;
    for (const WorkerRange& range :
         shared_.items<const WorkerRange>(image.images_offset, image.image_count))
        images.push_back(shared_.items<const uint8_t>(range.offset, range.byte_count));
    return images;
}

void Images::write_result(const WorkerImageRequest& image, WorkerImageResult result,
                          std::span<const std::span<const uint8_t>> pieces) const {
    result.byte_count = 0;
    for (const auto& piece : pieces)
        result.byte_count += piece.size();
    const auto room = shared_.items<uint8_t>(image.result_offset, image.result_bytes);
    if (room.size() < sizeof(result) || room.size() - sizeof(result) < result.byte_count)
        throw ProtocolError("the result does not fit into its place");
    std::memcpy(room.data(), &result, sizeof(result));
    uint8_t* to = room.data() + sizeof(result);
    for (const auto& piece : pieces)
        to = std::copy(piece.begin(), piece.end(), to);
}

void Images::info(const WorkerRequest& request) {
    const ImageInfo info = image_info(only_image(request.image));
    // SQL's integer has no room for them, and no image has them.
    if (std::max(info.width, info.height) > std::numeric_limits<int32_t>::max())
        throw ImageError(ImageFault::kTooLarge,
                         info.format + " image of " + std::to_string(info.width) + " x " +
                             std::to_string(info.height) + " pixels is too large");
    WorkerImageResult result = {};
    result.width = info.width;
    result.height = info.height;
    result.channels = info.channels;
    result.orientation = info.orientation;
    write_result(request.image, result, {});
    channel_.reply(request, {.status = WorkerStatus::kDone}, info.format);
}

void Images::features(const WorkerRequest& request) {
    const WorkerImageRequest& image = request.image;
    const auto images = all_images(image);
    const ExtractorSpec spec = spec_of(shared_, image);
    for (const ExtractorPart& part : spec.parts)
        if (!part.source.empty() && models_.find(part.model_key()) == nullptr)
            throw ModelMissing(part.model_key());

    const bool has_network = std::ranges::any_of(spec.parts, &ExtractorPart::is_network);
    uint64_t step = 0;
    const auto image_read = [&] {
        if (images.size() == 1 && !has_network) return;
        channel_.reply(
            request,
            {.status = WorkerStatus::kProgress, .step = ++step, .step_count = images.size()});
    };
    const std::vector<Features> all =
        extract_features_batch(images, spec, limits_of(image), &models_, image_read);

    std::vector<std::span<const uint8_t>> pieces;
    for (const Features& features : all)
        pieces.emplace_back(features.elements);
    WorkerImageResult result = {};
    result.kind = static_cast<uint32_t>(all[0].kind);
    result.dims = all[0].dims;
    write_result(image, result, pieces);
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

void Images::local_features(const WorkerRequest& request) {
    const WorkerImageRequest& image = request.image;
    const LocalExtraction wanted = local_extraction_of(image);
    const auto images = all_images(image);
    std::vector<std::vector<uint8_t>> values;
    for (const auto& bytes : images) {
        values.push_back(extract_local_features(bytes, wanted, limits_of(image)));
        if (images.size() > 1)
            channel_.reply(request, {.status = WorkerStatus::kProgress,
                                     .step = values.size(),
                                     .step_count = images.size()});
    }
    const std::vector<std::span<const uint8_t>> pieces(values.begin(), values.end());
    write_result(image, {}, pieces);
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

void Images::text_features(const WorkerRequest& request) {
    const WorkerImageRequest& image = request.image;
    const std::string_view text = characters(only_image(image));
    require(text.size() <= kMaxTextBytes, "a text is too long");
    const std::string key = "text:" + text_part_of(spec_of(shared_, image)).model_key();
    const LoadedModel* model = models_.find(key);
    if (model == nullptr) throw ModelMissing(key);
    // What follows is the network's time.
    channel_.reply(request, {.status = WorkerStatus::kProgress, .step = 1, .step_count = 1});
    std::vector<float> features;
    try {
        features = model->text->features(text);
    } catch (const NetworkError& error) {
        throw ImageError(ImageFault::kModel,
                         std::string("could not run text model: ") + error.what());
    }
    const std::span<const uint8_t> piece(reinterpret_cast<const uint8_t*>(features.data()),
                                         features.size() * sizeof(float));
    WorkerImageResult result = {};
    result.kind = static_cast<uint32_t>(Kind::kReal);
    result.dims = static_cast<uint32_t>(features.size());
    write_result(image, result, {&piece, 1});
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

void Images::thumbnail(const WorkerRequest& request) {
    const WorkerImageRequest& image = request.image;
    require(image.thumbnail_size >= 1 && image.thumbnail_size <= kWorkerMaxThumbnailSize,
            "the size of a thumbnail is out of range");
    const std::vector<uint8_t> file =
        make_thumbnail(only_image(image), image.thumbnail_size, limits_of(image));
    const std::span<const uint8_t> piece = file;
    write_result(image, {}, {&piece, 1});
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

void Images::draw_matches(const WorkerRequest& request) {
    const WorkerImageRequest& image = request.image;
    const auto images = all_images(image);
    require(images.size() == 2, "a request must name two images");
    require(image.thumbnail_size >= 1 && image.thumbnail_size <= kWorkerMaxThumbnailSize,
            "the size of a drawing is out of range");
    uint64_t step = 0;
    const auto image_read = [&] {
        channel_.reply(request,
                       {.status = WorkerStatus::kProgress, .step = ++step, .step_count = 2});
    };
    const std::vector<uint8_t> file =
        lookalike::draw_matches(images[0], images[1], local_extraction_of(image),
                                image.thumbnail_size, limits_of(image), image_read);
    const std::span<const uint8_t> piece = file;
    write_result(image, {}, {&piece, 1});
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

void Images::extractors(const WorkerRequest& request) {
    std::vector<WorkerExtractor> rows;
    for (const ExtractorInfo& info : image_extractors()) {
        WorkerExtractor row = {};
        std::strncpy(row.name, info.name, sizeof(row.name) - 1);
        std::strncpy(row.description, info.description, sizeof(row.description) - 1);
        row.version = info.version;
        row.dims = info.dims;
        row.kind = static_cast<uint32_t>(info.kind);
        row.metric = static_cast<uint32_t>(info.metric);
        rows.push_back(row);
    }
    const std::span<const uint8_t> piece(reinterpret_cast<const uint8_t*>(rows.data()),
                                         rows.size() * sizeof(WorkerExtractor));
    write_result(request.image, {}, {&piece, 1});
    channel_.reply(request, {.status = WorkerStatus::kDone});
}

void Images::load_model(const WorkerRequest& request) {
    const WorkerModelRequest& model = request.model;
    const auto onnx = shared_.items<const uint8_t>(model.model_offset, model.model_bytes);
    const WorkerModelConfig config =
        shared_.items<const WorkerModelConfig>(model.config_offset, 1)[0];
    const std::string key = key_of(config);
    const LoadedModel& loaded = lookalike::load_model(models_, key, config, onnx);
    channel_.reply(request, {.status = WorkerStatus::kDone, .list_count = loaded.dims()},
                   loaded.engine_name());
}

void Images::find_model(const WorkerRequest& request) {
    const WorkerModelConfig config =
        shared_.items<const WorkerModelConfig>(request.model.config_offset, 1)[0];
    const std::string key = key_of(config);
    const LoadedModel* found = preloaded_ ? preloaded_->find(preloaded_key(config)) : nullptr;
    if (found == nullptr) throw ModelMissing(key);
    const LoadedModel& shared = models_.share(key, *found);
    channel_.reply(request, {.status = WorkerStatus::kDone, .list_count = shared.dims()},
                   shared.engine_name());
}

namespace {

LoadedModel& load_text_model(ModelStore& models, const std::string& key,
                             const WorkerModelConfig& config, std::string_view bytes) {
    require(is_tokenizer_kind(config.tokenizer), "the kind of a tokenizer is unknown");
    require(is_pooling(config.pooling), "a pooling is unknown");
    require(config.context >= kMinTokens && config.context <= kMaxTokens,
            "the number of tokens is out of range");
    require(config.tokenizer_bytes <= bytes.size(), "a tokenizer lies outside of its file");
    const size_t onnx_bytes = bytes.size() - config.tokenizer_bytes;
    return models.load_text(key, bytes.substr(0, onnx_bytes), bytes.substr(onnx_bytes),
                            {.tokenizer = static_cast<TokenizerKind>(config.tokenizer),
                             .lower_case = config.lower_case != 0,
                             .context = config.context,
                             .pooling = static_cast<Pooling>(config.pooling),
                             .layer = text_of(config.layer),
                             .normalize = config.normalize != 0});
}

}  // namespace

LoadedModel& load_model(ModelStore& models, const std::string& key, const WorkerModelConfig& config,
                        std::span<const uint8_t> bytes) {
    if (config.codebook != 0) return models.load_codebook(key, bytes);
    if (config.tokenizer != 0) return load_text_model(models, key, config, characters(bytes));
    return models.load(key, bytes,
                       {.input_width = config.input_width,
                        .input_height = config.input_height,
                        .mean = {config.mean[0], config.mean[1], config.mean[2]},
                        .std = {config.std[0], config.std[1], config.std[2]},
                        .bgr = config.bgr != 0,
                        .layer = text_of(config.layer),
                        .normalize = config.normalize != 0,
                        .crop = config.crop != 0});
}

std::string preloaded_key(const WorkerModelConfig& config) {
    WorkerModelConfig nameless = config;
    std::memset(nameless.key, 0, sizeof(nameless.key));
    return {reinterpret_cast<const char*>(&nameless), sizeof(nameless)};
}

void warm_up_images() {
    // One thread: sessions share the cores already, and equal input has to give equal output.
    cv::setNumThreads(1);
    const cv::Mat picture(64, 64, CV_8UC3, cv::Scalar(90, 140, 190));
    const ImageLimits limits{.max_pixels = 64 * 64};
    for (const char* format : {".jpg", ".png", ".webp", ".tiff", ".jp2"}) {
        std::vector<uint8_t> file;
        cv::imencode(format, picture, file);
        for (const ExtractorInfo& info : image_extractors())
            extract_features(file, parse_extractor_spec(info.name), limits, nullptr);
        make_thumbnail(file, 16, limits);
    }
    // Narrow, so that little time and memory go into it.
    std::vector<uint8_t> narrow;
    cv::imencode(".png", cv::Mat(16, 320, CV_8UC1, cv::Scalar(90)), narrow);
    for (const LocalKind kind : {LocalKind::kOrb, LocalKind::kSift})
        extract_local_features(narrow, {kind, 1, false}, {.max_pixels = 16 * 320});
}

}  // namespace lookalike
