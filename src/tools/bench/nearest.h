// The nearest rows of a query while brute force passes over all of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tools/bench/dataset.h"

namespace lookalike {

/// L2, summed in double.
inline double exact_distance(const float* a, const float* b, uint32_t dims) {
    double sum = 0;
    for (uint32_t i = 0; i < dims; ++i)
        sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    return std::sqrt(sum);
}

/// The `count` best so far, the worst on top. Float keys may swap rows that are nearly as far, so
/// some more are kept than are asked for.
class Nearest {
  public:
    explicit Nearest(uint32_t count) : count_(count) {}

    void offer(float key, uint32_t id) {
        if (heap_.size() == count_ + kSpare) {
            if (key >= heap_.front().key) return;
            std::ranges::pop_heap(heap_, {}, &Neighbour::key);
            heap_.pop_back();
        }
        heap_.push_back({key, id});
        std::ranges::push_heap(heap_, {}, &Neighbour::key);
    }

    /// `count` exact distances, ascending; infinity where fewer rows were offered.
    std::vector<double> exact_distances(const float* query, const Rows& rows) const {
        std::vector<double> exact;
        for (const Neighbour& neighbour : heap_)
            exact.push_back(exact_distance(query, rows.row(neighbour.id), rows.dims));
        std::ranges::sort(exact);
        exact.resize(count_, std::numeric_limits<double>::infinity());
        return exact;
    }

  private:
    static constexpr uint32_t kSpare = 20;

    struct Neighbour {
        float key;
        uint32_t id;
    };

    uint32_t count_;
    std::vector<Neighbour> heap_;
};

}  // namespace lookalike
