// Hostile local features. The first byte chooses what the others are: a value as it comes from disk
// or from a worker (bytes -> fault, or view -> text -> bytes), or text that comes from a user (text
// -> fault, or bytes -> fault, or text -> bytes). Values of one input are compared with each other.
// Buffers have exactly the size that the contract asks for, so that the address sanitizer sees a
// byte too many.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "core/local/local_text.h"
#include "core/local/set_match.h"

using namespace lookalike;

namespace {

using Bytes = std::vector<uint8_t>;

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

/// Reads as the input function of the type does; empty when the text is at fault.
Bytes read(std::string_view text) {
    const LocalText header = read_local_text_header(text);
    require(header.offset <= text.size(), "a fault lies within the text");
    if (header.fault != nullptr) return {};
    require(is_local_kind(static_cast<unsigned>(header.header.kind)), "a text has a kind");
    require(header.header.count <= kMaxLocalFeatures, "a text has no more than may be");
    Bytes bytes(local_features_bytes(header.header.kind, header.header.count));
    const LocalText all = read_local_text(text, header.header, bytes.data());
    require(all.offset <= text.size(), "a fault lies within the text");
    return all.fault == nullptr ? bytes : Bytes();
}

void check_parts(const LocalFeatures& features) {
    std::vector<uint32_t> chosen(features.count());
    const PictureBox whole{0, 0, static_cast<double>(features.header.width),
                           static_cast<double>(features.header.height)};
    require(features_within(features, whole, chosen.data()) == features.count(),
            "all features lie in their picture");
    const PictureBox half{0, 0, whole.right / 2, whole.bottom};
    chosen.resize(features_within(features, half, chosen.data()));
    Bytes copy(local_features_bytes(features.kind(), static_cast<uint32_t>(chosen.size())));
    copy_local_features(features, chosen, copy.data());
    require(local_features_fault(copy) == nullptr, "a part of a value is a value");
    for (uint32_t i = 0; i < features.count(); ++i) {
        const LocalPlace place = features.place(i);
        const double scale = pixels_of_scale(features.header, place.scale);
        require(scale_of(scale, std::max(whole.right, whole.bottom)) == place.scale,
                "scales come back");
        require(strength_of(response_of_strength(place.strength)) == place.strength,
                "strengths come back");
    }
}

void check_match(const LocalFeatures& a, const LocalFeatures& b) {
    if (a.kind() != b.kind()) return;
    const SetMatch one = match_sets(a, b), other = match_sets(b, a);
    require(one.distance() > 0 && one.distance() <= 1, "a distance is between 0 and 1");
    require(one.distance() == other.distance(), "a distance is the same in either order");
    require(one.inliers <= one.matches && one.matches <= std::min(a.count(), b.count()),
            "a feature has one pair");
    for (const double number : one.movement)
        require(std::isfinite(number), "a movement is finite");
}

/// A value: its text gives the same bytes again.
void check_value(const Bytes& bytes) {
    const LocalFeatures features = view_local_features(bytes.data());
    const size_t room = max_local_text_bytes(features.kind(), features.count());
    const std::unique_ptr<char[]> text(new char[room]);
    const size_t length = format_local_text(features, text.get());
    require(length <= room, "a text has the room that it needs");
    require(read({text.get(), length}) == bytes, "a value comes back from its text");
    check_parts(features);
    check_match(features, features);
}

/// Two values of the halves of the input, given headers that fit.
void check_pair(uint8_t choice, const uint8_t* data, size_t size) {
    Bytes values[2];
    for (int i = 0; i < 2; ++i) {
        LocalFeaturesHeader header{.kind = choice & 1 ? LocalKind::kOrb : LocalKind::kSift,
                                   .version = 1,
                                   .mirrored = static_cast<uint8_t>(choice >> (1 + i) & 1),
                                   .reserved = 0,
                                   .count = 0,
                                   .width = 640,
                                   .height = 640};
        header.count = static_cast<uint32_t>(size / 2 / local_feature_bytes(header.kind));
        values[i].resize(local_features_bytes(header.kind, header.count));
        std::memcpy(values[i].data() + sizeof(header), data + i * (size / 2),
                    values[i].size() - sizeof(header));
        const LocalFeaturesParts parts = lay_out_local_features(header, values[i].data());
        std::fill_n(parts.strengths, header.count, uint8_t{1});
        require(local_features_fault(values[i]) == nullptr, "what was laid out is a value");
    }
    check_match(view_local_features(values[0].data()), view_local_features(values[1].data()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const uint8_t choice = data[0];
    const Bytes rest(data + 1, data + size);
    if (choice % 3 == 0) {
        if (local_features_fault(rest) == nullptr) check_value(rest);
    } else if (choice % 3 == 1) {
        const Bytes bytes = read({reinterpret_cast<const char*>(rest.data()), rest.size()});
        if (!bytes.empty() && local_features_fault(bytes) == nullptr) check_value(bytes);
    } else if (!rest.empty()) {
        check_pair(choice / 3, rest.data(), rest.size());
    }
    return 0;
}
