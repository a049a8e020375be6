#include "core/votes/words.h"

#include <algorithm>

#include "core/votes/code_distances.h"

#include "core/no_postgres.h"

namespace lookalike {

void Words::add_page(const ListGeometry& inner, const uint8_t* page, uint32_t version) {
    const ListPageView view(inner, page);
    for (uint32_t i = 0; i < view.entry_places(); ++i) {
        if (!view.is_live(i) || !is_in_tree(read_attributes(view, i), version)) continue;
        lists_.push_back(view.pointer(i).block());
        const uint8_t* code = view.codes(i / kBlockEntries) + i % kBlockEntries * kLocalCodeBytes;
        codes_.insert(codes_.end(), code, code + kLocalCodeBytes);
    }
}

void Words::measure(const uint8_t* code) {
    distances_.resize(lists_.size());
    code_distances(code, codes_.data(), lists_.size(), distances_.data());
}

uint32_t Words::nearest(const uint8_t* code) {
    if (codes_.empty()) return lists_.front();
    measure(code);
    const auto least = std::min_element(distances_.begin(), distances_.end());
    return lists_[static_cast<size_t>(least - distances_.begin())];
}

void Words::nearest(const uint8_t* code, size_t wanted, std::vector<uint32_t>* lists) {
    if (codes_.empty()) {
        lists->insert(lists->end(), lists_.begin(), lists_.end());
        return;
    }
    measure(code);
    // How many words are so near, then up to where they are wanted.
    uint32_t counts[kLocalCodeBits + 1] = {};
    for (const uint8_t distance : distances_)
        ++counts[distance];
    uint32_t limit = 0;
    size_t nearer = 0;
    while (limit < kLocalCodeBits && nearer + counts[limit] < wanted)
        nearer += counts[limit++];
    size_t at_limit = wanted - nearer;
    for (size_t i = 0; i < distances_.size(); ++i) {
        if (distances_[i] > limit || (distances_[i] == limit && at_limit == 0)) continue;
        at_limit -= distances_[i] == limit;
        lists->push_back(lists_[i]);
    }
}

}  // namespace lookalike
