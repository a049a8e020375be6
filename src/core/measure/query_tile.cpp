#include "core/measure/query_tile.h"

#include <algorithm>

#include "core/vector/element.h"

#include "core/no_postgres.h"

namespace lookalike {

QueryTile::QueryTile(Metric metric, uint32_t row_floats)
    : metric_(metric), row_floats_(row_floats), row_bytes_(element_bytes(Kind::kBit, row_floats)) {}

void QueryTile::clear() {
    size_ = 0;
    bits_.clear();
}

void QueryTile::add(const Elements& query) {
    const size_t place = size_++;
    if (is_binary(metric_)) {
        bits_.insert(bits_.end(), query.bits, query.bits + row_bytes_);
        return;
    }
    // What other queries have left behind it counts for nobody.
    if (const size_t needed = place_count() * row_floats_; blocks_.size() < needed)
        blocks_.resize(needed);
    float* to = blocks_.data() + first_element(place);
    for (uint32_t i = 0; i < row_floats_; ++i)
        to[i * kQueriesSideBySide] = query.floats[i];
}

size_t QueryTile::place_count() const {
    return query_block_count(size_) * kQueriesSideBySide;
}

size_t QueryTile::first_element(size_t place) const {
    return place / kQueriesSideBySide * kQueriesSideBySide * row_floats_ +
           place % kQueriesSideBySide;
}

void QueryTile::keys(std::span<const Elements> rows, float* keys) const {
    if (is_binary(metric_)) {
        for (const Elements& row : rows) {
            for (size_t i = 0; i < size_; ++i)
                keys[i] = row_key(metric_, {nullptr, bits_of(i)}, row, row_floats_);
            keys += place_count();
        }
        return;
    }
    const QueryBlocks queries{blocks_.data(), query_block_count(size_), row_floats_};
    const float* floats[kMostRows];
    for (size_t row = 0; row < kMostRows; ++row)
        floats[row] = rows[std::min(row, rows.size() - 1)].floats;
    if (metric_ == Metric::kInnerProduct) {
        products_of_queries(queries, floats, keys);
    } else {
        squares_of_queries(queries, floats, keys);
    }
}

std::vector<float> QueryTile::floats_of(size_t place) const {
    std::vector<float> result;
    if (is_binary(metric_)) return result;
    const float* from = blocks_.data() + first_element(place);
    for (uint32_t i = 0; i < row_floats_; ++i)
        result.push_back(from[i * kQueriesSideBySide]);
    return result;
}

}  // namespace lookalike
