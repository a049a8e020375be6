// Words and lists of local features whose pages lie in memory.
#pragma once

#include "code_set.h"
#include "core/votes/vote_search.h"
#include "memory_index.h"

namespace lookalike {

/// Of an index on local features.
inline ListGeometry code_geometry(uint32_t level, const AttributeWidths& attributes = {}) {
    return list_geometry(Metric::kHamming, kLocalCodeBits, Refine::kNone, level, attributes);
}

/// A word: the list, its code, and when it is in the tree.
struct Word {
    uint32_t list;
    Code code;
    Lifetime life = {};
};

/// Writes a root of these words; returns its first page.
inline uint32_t write_words(PageStore& store, const std::vector<Word>& words) {
    StoredLists root(store, code_geometry(1), 1);
    root.begin();
    for (const Word& word : words) {
        const AttributeKeys keys = list_keys(word.life.born, word.life.retired);
        root.add({.pointer = entry_pointer(word.list, 1),
                  .factors = {},
                  .code = word.code.data(),
                  .refine = nullptr,
                  .attributes = &keys});
    }
    return root.finish();
}

/// Adds the pages of a root to what is known of words.
inline void read_words(PageStore& store, uint32_t root, uint32_t version, Words* words) {
    const ListGeometry inner = code_geometry(1);
    for (uint32_t block = root; block != kNoBlock; block = page_trailer(store.page(block))->next) {
        ASSERT_EQ(list_page_fault(inner, store.page(block)), nullptr);
        words->add_page(inner, store.page(block), version);
    }
}

}  // namespace lookalike
