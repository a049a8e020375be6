#include "core/votes/vote_search.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/votes/code_distances.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

constexpr uint32_t kDistanceBits = 8;

struct Weights {
    float of[kAlikeBits + 1];

    Weights() {
        for (uint32_t bits = 0; bits <= kAlikeBits; ++bits)
            of[bits] = vote_weight(bits);
    }
};

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
    void add(uint64_t row, float weight) {
        VotedRow& slot = slot_of(row);
        if (slot.votes == 0) ++count_;
        slot.row = row;
        slot.votes += weight;
        if (count_ > slots_.size() / 4 * 3) grow();
    }

    std::vector<VotedRow> take_rows() {
        std::erase_if(slots_, [](const VotedRow& slot) { return slot.votes == 0; });
        return std::move(slots_);
    }

  private:
    VotedRow& slot_of(uint64_t row) {
        const size_t mask = slots_.size() - 1;
        size_t at = row * 0x9e3779b97f4a7c15u >> 20 & mask;
        while (slots_[at].votes > 0 && slots_[at].row != row)
            at = (at + 1) & mask;
        return slots_[at];
    }

    void grow() {
        std::vector<VotedRow> before(slots_.size() * 2);
        before.swap(slots_);
        for (const VotedRow& slot : before) {
            if (slot.votes > 0) slot_of(slot.row) = slot;
        }
    }

    size_t count_ = 0;
    std::vector<VotedRow> slots_ = std::vector<VotedRow>(1024);
};

}  // namespace

float vote_weight(uint32_t bits) {
    constexpr double kScale = 11.3;
    const double share = bits / kScale;
    return static_cast<float>(std::exp(-share * share));
}

VoteSearch::VoteSearch(std::vector<uint8_t> codes, const ListGeometry& leaf,
                       const EntryFilter* filter, const VotePlan& plan)
    : codes_(std::move(codes)),
      leaf_(leaf),
      filter_(filter),
      plan_(plan),
      feature_count_(static_cast<uint32_t>(codes_.size() / kLocalCodeBytes)),
      finds_(feature_count_) {
    // Twice as many are kept before they are thinned out, and a ballot has room to spare.
    constexpr size_t kBytesOfHit = 2 * sizeof(Hit) + 2 * sizeof(VotedRow);
    most_hits_ =
        std::max(plan.memory_bytes / kBytesOfHit / std::max(feature_count_, 1u), size_t{kVoters});
}

void VoteSearch::choose_lists(Words* words, CheckForEnd check) {
    constexpr uint32_t kFeaturesBetweenChecks = 64;
    std::vector<uint64_t> pairs;  // list, feature
    std::vector<uint32_t> nearest;
    for (uint32_t feature = 0; feature < feature_count_; ++feature) {
        if (feature % kFeaturesBetweenChecks == 0) check();
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
        const uint32_t alike =
            live & codes_within(codes_.data() + feature * kLocalCodeBytes, page.codes(block),
                                finds_[feature].limit, distances);
        if (alike != 0) push_hits(feature, page, block, alike, distances);
    }
}

void VoteSearch::push_hits(uint32_t feature, const ListPageView& page, uint32_t block,
                           uint32_t alike, const uint8_t* distances) {
    Finds& finds = finds_[feature];
    for (; alike != 0; alike &= alike - 1) {
        const auto lane = static_cast<uint32_t>(std::countr_zero(alike));
        const uint8_t distance = distances[lane];
        if (distance > finds.limit) continue;
        const uint64_t row = row_number(page.pointer(block * uint32_t{kBlockEntries} + lane));
        if (std::ranges::binary_search(rows_without_votes_, row)) continue;
        finds.hits.push_back(row << kDistanceBits | distance);
        ++counters_.entries_alike;
        ++finds.counts[distance];
        ++finds.within;
        while (finds.within - finds.counts[finds.limit] >= kVoters) {
            left_out_ = true;
            finds.within -= finds.counts[finds.limit--];
        }
    }
    if (finds.hits.size() >= 2 * most_hits_) leave_nearest(&finds);
}

// Forgets what is beyond the limit, and of what is at it what there is no memory for.
void VoteSearch::leave_nearest(Finds* finds) {
    std::vector<Hit>& hits = finds->hits;
    std::erase_if(hits, [&](Hit hit) { return distance_of(hit) > finds->limit; });
    if (hits.size() <= most_hits_) return;
    std::nth_element(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(most_hits_), hits.end(),
                     is_nearer);
    hits.resize(most_hits_);
    left_out_ = true;
}

void VoteSearch::count_votes() {
    static const Weights weights;
    Ballot ballot;
    for (Finds& finds : finds_) {
        leave_nearest(&finds);
        std::vector<Hit> hits = std::move(finds.hits);
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
    rows_ = ballot.take_rows();
}

void VoteSearch::start_again_without(std::span<const uint64_t> rows) {
    rows_without_votes_.assign(rows.begin(), rows.end());
    finds_.assign(feature_count_, {});
    rows_.clear();
    given_ = 0;
    left_out_ = false;
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
