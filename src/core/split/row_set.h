// Rows that are to be clustered, such that squares of their differences are finite floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace lookalike {

/// Calls back about once a millisecond of work.
class Checkpoint {
  public:
    explicit Checkpoint(const std::function<void()>& check) : check_(check) {}

    /// So many elements of rows have been looked at.
    void passed(size_t elements) {
        elements_ += elements;
        if (elements_ < kElementsBetween) return;
        elements_ = 0;
        if (check_) check_();
    }

  private:
    static constexpr size_t kElementsBetween = 1 << 20;
    const std::function<void()>& check_;
    size_t elements_ = 0;
};

/// Whether squares of differences of such rows are finite floats, and accurate.
bool is_plain(std::span<const float> row);

class RowSet {
  public:
    /// Keeps a view of the values if they will do, else a copy of its own. See find_clusters() for
    /// what becomes of values that will not.
    RowSet(std::span<const float> values, uint32_t dims, Checkpoint& checkpoint);
    RowSet(const RowSet&) = delete;
    RowSet& operator=(const RowSet&) = delete;

    uint32_t dims() const { return dims_; }
    uint32_t count() const { return static_cast<uint32_t>(values_.size() / dims_); }
    std::span<const float> operator[](size_t row) const {
        return values_.subspan(row * dims_, dims_);
    }

    /// What stands for `value` where the rows came from. Finite.
    float original(float value) const;
    /// And what stands for one of there in the rows. Finite.
    float scaled(float original) const;

  private:
    void copy_scaled(std::span<const float> values, double scale, Checkpoint& checkpoint);

    uint32_t dims_;
    std::span<const float> values_;
    std::vector<float> copy_;
    double scale_ = 1;
};

}  // namespace lookalike
