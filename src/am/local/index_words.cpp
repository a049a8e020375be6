#include "am/local/index_words.h"

#include "am/storage/list_chain.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

// The copy has been looked at when it was made.
void add_copied_pages(const LoadedIndex& loaded, Words* words) {
    BlockNumber block = RootCopy::kFirst;
    while (const uint8_t* page = loaded.root->page(block)) {
        words->add_page(loaded.shape.levels[1], page, loaded.shape.tree_version);
        block = page_trailer(page)->next;
        if (block == kNoBlock) break;
    }
}

}  // namespace

Words* read_words(Relation index, const LoadedIndex& loaded) {
    Words* words = ContextOwned<Words>::make()->create();
    if (loaded.shape.depth == 1) {
        run_core([&] { words->add_only_list(loaded.shape.root_list); });
    } else if (loaded.root != nullptr) {
        run_core([&] { add_copied_pages(loaded, words); });
    } else {
        // What is read may be another index by then.
        const IndexShape shape = loaded.shape;
        visit_list(index, shape.levels[1], shape.root_list, [&](const uint8_t* page, bool) {
            run_core([&] { words->add_page(shape.levels[1], page, shape.tree_version); });
            return true;
        });
    }
    if (run_core([&] { return words->count(); }) == 0)
        raise_corrupted(index, loaded.shape.root_list, "the root has no lists");
    return words;
}

}  // namespace lookalike
