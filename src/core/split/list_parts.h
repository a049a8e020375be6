// Parts the entries of a list: finds the centroids of the lists that take its place, and makes
// their entries out of those that there are. A row is known by its refine code, by its bits, or by
// what somebody has fetched it as (row_code.h).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/code/entry_encoder.h"

namespace lookalike {

/// Whether an index keeps enough of its rows to make entries of entries; else they must be fetched.
inline bool can_part_lists(const IndexShape& shape) {
    return is_binary(shape.metric) || shape.refine != Refine::kNone;
}

class ListParts {
  public:
    /// `space` must outlive this; it is null for binary metrics. Without can_part_lists(), codes
    /// are row codes.
    ListParts(const IndexShape& shape, const IndexSpace* space);

    /// Rows that a sample should have at most to find so many parts.
    uint64_t sample_rows(uint32_t part_count) const;

    /// A row of the sample. `code`: the entry's refine code, its bits, or its row code.
    void add_to_sample(const uint8_t* code);
    /// The rows of one list have been added.
    void end_list();

    /// Finds up to so many parts; `check` may throw. One more than there are lists: one for each
    /// list, and two for the first, of which each gets the rows that are nearest.
    void find(uint32_t part_count, const std::function<void()>& check);

    /// After find() has made one part more than there are lists: leaves out of the sample those
    /// lists, but not the first, of whose rows fewer than this share would leave or come. Writes
    /// for each list whether it is kept, and returns how many are; if not all, find() is due again.
    uint32_t leave_out_settled(double share, bool* kept);

    uint32_t count() const { return count_; }
    /// As the root keeps it; good until the next call.
    EncodedEntry root_entry(uint32_t part, EntryPointer list);

    /// One entry after the other is given its part; some at a time are compared with all of them.
    void assign(const uint8_t* code);
    /// The parts of all that were assigned, in this order.
    std::span<const uint32_t> assigned();
    /// The part that one entry goes to.
    uint32_t part_of(const uint8_t* code);
    /// The entry there; good until the next call.
    EncodedEntry move(EntryPointer pointer, const uint8_t* code, uint32_t part);

  private:
    void decode(const uint8_t* code, float* vector) const;
    EncodedEntry encode_row(EntryPointer pointer, const uint8_t* code, uint32_t part);
    const float* centroid(uint32_t part) const {
        return centroids_.data() + size_t{part} * shape_.code_dims;
    }
    const uint8_t* sampled(size_t row) const { return sample_.data() + row * code_bytes_; }
    void draw_bits();
    std::vector<float> learned_of(size_t first_row, size_t end_row) const;
    std::vector<float> start_of_lists(const std::function<void()>& check) const;
    void take_means();
    void take_majorities();
    void draw_from(const uint8_t* code, uint8_t* drawn) const;
    uint32_t nearest_of_bits(const uint8_t* code) const;
    void set_centroids(std::vector<float> centroids);
    std::vector<uint64_t> rows_that_move() const;
    uint32_t exact_nearest(const DescriptorView& vector) const;
    void find_nearest(uint32_t count, uint32_t* parts) const;

    IndexShape shape_;
    bool is_binary_;
    size_t code_bytes_;
    std::vector<uint32_t> learn_bits_;  // those that are learned from; empty: the first elements
    uint32_t learn_dims_;               // so many
    EntryEncoder encoder_;
    EntryEncoder root_encoder_;
    std::vector<uint8_t> sample_;       // code_bytes_ each
    std::vector<size_t> list_ends_;     // in rows of the sample
    std::vector<uint32_t> cluster_of_;  // of these rows
    std::vector<float> rows_;           // of as many entries as are compared at a time
    uint32_t waiting_ = 0;              // of these, to be assigned
    std::vector<uint32_t> assigned_;
    uint32_t count_ = 0;
    std::vector<float> centroids_;        // code_dims each
    bool are_plain_ = true;               // as is_plain() says
    std::vector<uint8_t> centroid_bits_;  // of binary metrics, code_bytes_ each
    std::vector<uint8_t> drawn_bits_;     // of these the bits that were drawn, packed
    std::vector<float> zero_;
};

}  // namespace lookalike
