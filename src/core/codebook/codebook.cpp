#include "core/codebook/codebook.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/vector/element.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

void require(bool condition, const char* fault) {
    if (!condition) throw InvalidCodebook(fault);
}

void check_header(const CodebookHeader& header) {
    require(header.magic == kCodebookMagic, "it is none");
    require(header.version == kCodebookVersion && header.reserved == 0 && header.padding == 0,
            "its version is unknown");
    require(is_codebook_aim(static_cast<unsigned>(header.aim)) &&
                is_local_kind(static_cast<unsigned>(header.kind)) && header.is_reduced <= 1,
            "its kind is unknown");
    require(header.local_version == local_version(header.kind),
            "it is of another version of local features");
    require(header.max_features >= 1 && header.max_features <= kMaxLocalFeatures &&
                header.word_count >= 1 && header.word_count <= kMaxWords &&
                header.feature_dims >= 1 && header.feature_dims <= kMaxFeatureDims,
            "its numbers are out of range");
    require(word_sums(header) <= kMaxWordSums && header.dims >= 1 && header.dims <= kMaxDims &&
                header.dims <= word_sums(header) &&
                (header.is_reduced || header.dims == word_sums(header)),
            "its dimensions are out of range");
}

/// Takes a map off the numbers that are left.
ProjectionView take_map(const float*& next, uint64_t dims_in, uint64_t dims_out) {
    const ProjectionView map{.dims_in = static_cast<uint32_t>(dims_in),
                             .dims_out = static_cast<uint32_t>(dims_out),
                             .rows = next,
                             .offset = next + dims_in * dims_out};
    next += map_numbers(dims_in, dims_out);
    return map;
}

}  // namespace

const char* codebook_aim_name(CodebookAim aim) {
    switch (aim) {
        case CodebookAim::kBow:
            return "bow";
        case CodebookAim::kVlad:
            return "vlad";
        case CodebookAim::kFisher:
            return "fisher";
    }
    return "";
}

CodebookView parse_codebook(std::span<const std::byte> bytes) {
    CodebookView view{};
    require(bytes.size() >= sizeof(view.header), "it is too short");
    std::memcpy(&view.header, bytes.data(), sizeof(view.header));
    check_header(view.header);
    require(bytes.size() == codebook_bytes(view.header), "its length is wrong");
    const auto* numbers = reinterpret_cast<const float*>(bytes.data() + sizeof(view.header));
    const size_t count = (bytes.size() - sizeof(view.header)) / sizeof(float);
    require(std::all_of(numbers, numbers + count,
                        [](float x) { return std::abs(x) <= kMaxCodebookNumber; }),
            "it holds numbers that are out of range");
    const float* next = numbers;
    view.input = take_map(next, input_dims(view.header.kind), view.header.feature_dims);
    view.scores = take_map(next, score_dims(view.header), view.header.word_count);
    view.words = next;
    next += word_numbers(view.header);
    if (view.header.is_reduced)
        view.output = take_map(next, word_sums(view.header), view.header.dims);
    return view;
}

}  // namespace lookalike
