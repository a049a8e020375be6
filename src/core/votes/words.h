// The words of an index on local features: the codes in the middle of its lists.
#pragma once

#include <vector>

#include "core/local/local_code.h"
#include "core/page/list_page.h"

namespace lookalike {

class Words {
  public:
    /// Of an index of one list: every feature is nearest to it.
    void add_only_list(uint32_t list) { lists_.push_back(list); }

    /// The lists of a page of the root that are in the tree at this version.
    /// REQUIRES: list_page_fault() found nothing.
    void add_page(const ListGeometry& inner, const uint8_t* page, uint32_t version);

    size_t count() const { return lists_.size(); }

    /// The list of the nearest word; of equally near ones the first. REQUIRES: count() > 0.
    uint32_t nearest(const uint8_t* code);

    /// Adds to `lists` the `wanted` nearest, or all.
    void nearest(const uint8_t* code, size_t wanted, std::vector<uint32_t>* lists);

  private:
    void measure(const uint8_t* code);

    std::vector<uint32_t> lists_;
    std::vector<uint8_t> codes_;  // empty for one list
    std::vector<uint8_t> distances_;
};

}  // namespace lookalike
