#include "core/votes/vote_search.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/votes/code_distances.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// Of a feature the nearest entries are kept, as far as the memory goes, but never fewer or more
// than so many.
constexpr size_t kFewestHits = 32;
constexpr size_t kMostHits = 512;

constexpr uint32_t kDistanceBits = 8;

// What a feature is worth that differs in so many bits.
struct Weights {
    float of[kAlikeBits + 1];

    Weights() {
        constexpr double kScale = 11.5;
        for (uint32_t bits = 0; bits <= kAlikeBits; ++bits) {
            const double share = bits / kScale;
            of[bits] = static_cast<float>(std::exp(-share * share));
        }
    }
};

// A feature that is in many rows tells little of each.
constexpr float kFewRows = 0.1f;

uint64_t row_of(uint64_t hit) {
    return hit >> kDistanceBits;
}

uint32_t distance_of(uint64_t hit) {
    return hit & ((1u << kDistanceBits) - 1);
}

// First the nearest, of equally near ones as they lie.
bool is_nearer(uint64_t a, uint64_t b) {
    if (distance_of(a) != distance_of(b)) return distance_of(a) < distance_of(b);
    return a < b;
}

bool has_more_votes(const VotedRow& a, const VotedRow& b) {
    if (a.votes != b.votes) return a.votes > b.votes;
    return a.row < b.row;
}

// Rows and their votes so far, by the row's number.
class Ballot {
  public:
    explicit Ballot(size_t most_rows) : slots_(std::bit_ceil(2 * most_rows + 1)) {}

    void add(uint64_t row, float weight) {
        const size_t mask = slots_.size() - 1;
        size_t at = row * 0x9e3779b97f4a7c15u >> 20 & mask;
        while (slots_[at].votes > 0 && slots_[at].row != row)
            at = (at + 1) & mask;
        slots_[at].row = row;
        slots_[at].votes += weight;
    }

    std::vector<VotedRow> rows() const {
        std::vector<VotedRow> rows;
        std::copy_if(slots_.begin(), slots_.end(), std::back_inserter(rows),
                     [](const VotedRow& slot) { return slot.votes > 0; });
        return rows;
    }

  private:
    std::vector<VotedRow> slots_;
};

}  // namespace

VoteSearch::VoteSearch(std::vector<uint8_t> codes, const ListGeometry& leaf,
                       const EntryFilter* filter, const VotePlan& plan)
    : codes_(std::move(codes)),
      leaf_(leaf),
      filter_(filter),
      plan_(plan),
      feature_count_(static_cast<uint32_t>(codes_.size() / kLocalCodeBytes)),
      limits_(feature_count_, static_cast<uint8_t>(kAlikeBits)),
      hits_(feature_count_) {
    // Twice as many are kept before they are thinned out; a row's votes take four times as much.
    constexpr size_t kBytesOfHit = 2 * sizeof(Hit) + 4 * sizeof(VotedRow);
    most_hits_ = std::clamp(plan.memory_bytes / kBytesOfHit / std::max(feature_count_, 1u),
                            kFewestHits, kMostHits);
}

void VoteSearch::choose_lists(Words* words) {
    std::vector<uint64_t> pairs;  // list, feature
    std::vector<uint32_t> nearest;
    for (uint32_t feature = 0; feature < feature_count_; ++feature) {
        nearest.clear();
        words->nearest(codes_.data() + feature * kLocalCodeBytes, plan_.lists_per_feature,
                       &nearest);
        for (const uint32_t list : nearest)
            pairs.push_back(uint64_t{list} << 32 | feature);
    }
    std::sort(pairs.begin(), pairs.end());
    for (const uint64_t pair : pairs) {
        const auto list = static_cast<uint32_t>(pair >> 32);
        if (wanted_.empty() || wanted_.back().list != list)
            wanted_.push_back({list, static_cast<uint32_t>(wanted_by_.size()), 0});
        wanted_by_.push_back(static_cast<uint32_t>(pair));
        ++wanted_.back().count;
    }
}

bool VoteSearch::skip_list(const uint8_t* first_page) {
    if (filter_ == nullptr || filter_->may_pass(ListPageView(leaf_, first_page).summary()))
        return false;
    ++counters_.lists_skipped;
    return true;
}

void VoteSearch::push_page(size_t number, const uint8_t* page) {
    const ListPageView view(leaf_, page);
    for (uint32_t block = 0; block < view.header().block_count; ++block)
        push_block(wanted_[number], view, block);
}

void VoteSearch::push_block(const WantedList& wanted, const ListPageView& page, uint32_t block) {
    uint32_t live = page.live(block);
    counters_.entries_scanned += static_cast<uint64_t>(std::popcount(live));
    if (filter_ != nullptr && live != 0) live = filter_->passing(page, block, live);
    counters_.entries_passed += static_cast<uint64_t>(std::popcount(live));
    if (live == 0) return;
    for (uint32_t i = 0; i < wanted.count; ++i) {
        const uint32_t feature = wanted_by_[wanted.first + i];
        uint8_t distances[kBlockEntries];
        code_distances(codes_.data() + feature * kLocalCodeBytes, page.codes(block), kBlockEntries,
                       distances);
        uint32_t alike = 0;
        for (uint32_t entry = 0; entry < kBlockEntries; ++entry)
            alike |= uint32_t{distances[entry] <= limits_[feature]} << entry;
        alike &= live;
        if (alike != 0) push_hits(feature, page, block, alike, distances);
    }
}

void VoteSearch::push_hits(uint32_t feature, const ListPageView& page, uint32_t block,
                           uint32_t alike, const uint8_t* distances) {
    std::vector<Hit>& hits = hits_[feature];
    for (; alike != 0; alike &= alike - 1) {
        const auto lane = static_cast<uint32_t>(std::countr_zero(alike));
        const EntryPointer pointer = page.pointer(block * uint32_t{kBlockEntries} + lane);
        hits.push_back(row_number(pointer) << kDistanceBits | distances[lane]);
        ++counters_.entries_alike;
    }
    if (hits.size() >= 2 * most_hits_) leave_nearest(feature);
}

void VoteSearch::leave_nearest(uint32_t feature) {
    std::vector<Hit>& hits = hits_[feature];
    if (hits.size() <= most_hits_) return;
    const auto last = hits.begin() + static_cast<ptrdiff_t>(most_hits_ - 1);
    std::nth_element(hits.begin(), last, hits.end(), is_nearer);
    // What comes at the same distance may lie before it.
    limits_[feature] = static_cast<uint8_t>(distance_of(*last));
    hits.resize(most_hits_);
}

void VoteSearch::count_votes() {
    static const Weights weights;
    size_t hit_count = 0;
    for (uint32_t feature = 0; feature < feature_count_; ++feature) {
        leave_nearest(feature);
        hit_count += hits_[feature].size();
    }
    Ballot ballot(hit_count);
    for (std::vector<Hit>& hits : hits_) {
        // Of a row the nearest counts.
        std::sort(hits.begin(), hits.end());
        const auto end = std::unique(hits.begin(), hits.end(),
                                     [](Hit a, Hit b) { return row_of(a) == row_of(b); });
        float all = kFewRows;
        for (auto hit = hits.begin(); hit != end; ++hit)
            all += weights.of[distance_of(*hit)];
        const float share = 1 / std::sqrt(all);
        for (auto hit = hits.begin(); hit != end; ++hit)
            ballot.add(row_of(*hit), weights.of[distance_of(*hit)] * share);
    }
    hits_ = {};
    rows_ = ballot.rows();
}

std::span<const VotedRow> VoteSearch::next_rows(size_t count) {
    const auto first = rows_.begin() + static_cast<ptrdiff_t>(given_);
    count = std::min(count, rows_.size() - given_);
    const auto end = first + static_cast<ptrdiff_t>(count);
    std::partial_sort(first, end, rows_.end(), has_more_votes);
    given_ += count;
    return {first, end};
}

}  // namespace lookalike
