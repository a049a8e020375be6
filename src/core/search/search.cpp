#include "core/search/search.h"

#include <algorithm>
#include <cmath>

namespace lookalike {
namespace {

// Lists differ in size: what holds half of the mean tells nothing.
constexpr double kUnevenness = 2;
// Waiting for their turn, however little memory there is: 400 kB.
constexpr size_t kFewestFound = 4096;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The highest key that a distance of `radius` may have; a little more, as it was computed
// elsewhere.
float key_limit(Metric metric, double radius) {
    return std::nextafter(round_up(distance_to_key(metric, radius)),
                          std::numeric_limits<float>::infinity());
}

// Whether lists are asked if they may hold what is wanted.
bool goes_by_reach(const SearchOptions& options) {
    return options.probes.has_spread() || (options.filter != nullptr && options.probes.has_reach());
}

LevelOptions level_options(const SearchOptions& options, Metric metric, uint32_t level) {
    const size_t capacity = std::max<size_t>(options.memory_bytes / (4 * sizeof(Candidate)), 64);
    return {
        .level = level,
        .exhaustive = options.exhaustive,
        .window_capacity = std::min(CandidateWindow::kDefaultCapacity, capacity),
        .max_window_capacity = capacity,
        .filter = level == 0 ? options.filter : nullptr,
        .key_limit = key_limit(metric, level == 0 ? options.radius : kInfinity),
        .max_found = level == 0 && !options.exhaustive && !options.keeps_order
                         ? std::max(options.memory_bytes / (4 * sizeof(FoundEntry)), kFewestFound)
                         : std::numeric_limits<size_t>::max(),
        .first_rows = level == 0 && goes_by_reach(options) ? kFirstRows : 1,
        // A Hamming distance is what its bound says: nothing lies between them.
        .thins_ties = level == 0 && !options.exhaustive && metric != Metric::kHamming,
        .measures_ties = level == 0 && options.measures_ties};
}

}  // namespace

Search::Search(const IndexShape& shape, const BlockScorer& scorer, const SearchOptions& options)
    : shape_(shape), options_(options) {
    // A sphere has a radius to end at.
    if (options.radius < kInfinity) options_.probes.give_up_spread();
    const uint32_t root_level = shape.depth - 1;
    const uint32_t target_level = std::min(options.target_level, root_level);
    target_.emplace(shape.levels[target_level], scorer, shape.refine,
                    level_options(options_, scorer.metric(), target_level));
    if (target_level == root_level) {
        target_->open_list(shape.root_list, scorer.root_terms());
        lists_exhausted_ = true;
        return;
    }
    root_.emplace(shape.levels[root_level], scorer, shape.refine,
                  level_options(options_, scorer.metric(), root_level));
    root_->open_list(shape.root_list, scorer.root_terms());
}

// A filter that passes one in a hundred makes ten rows as hard to find as a thousand; so do lists
// that have lost most of their rows since they were measured. Where the filter leaves rows near the
// query, their reach tells better which lists to open.
double Search::remaining_share() const {
    const LevelScan::Counters& counters = target_->counters();
    const double passed = goes_by_reach(options_)
                              ? std::pow(target_->passed_share(), 1 - target_->left_nearby())
                              : target_->passed_share();
    if (options_.rows_per_list <= 0 || counters.lists_read == 0) return passed;
    const double rows_per_list =
        (static_cast<double>(counters.entries_scanned) + 1) /
        (static_cast<double>(counters.lists_read - counters.lists_skipped) + 1);
    const double left = kUnevenness * rows_per_list / options_.rows_per_list;
    return passed * std::min(left, 1.0);
}

// The lists that should be open before the next row is given out. It changes with what was read and
// given out, not with every entry that is looked at.
const SpreadOfLists& Search::wanted_lists() {
    const uint64_t lists_read = target_->counters().lists_read;
    if (wanted_.most == 0 || emitted_count_ != wanted_at_row_ || lists_read != wanted_at_list_) {
        wanted_at_row_ = emitted_count_;
        wanted_at_list_ = lists_read;
        const auto rows = static_cast<double>(emitted_count_ + 1);
        wanted_ = options_.probes.spread_for(rows, remaining_share());
    }
    return wanted_;
}

// Opens lists in the order of their centroids' distances: those that are due, then those worth it.
// Returns a step when that needs a read.
std::optional<SearchStep> Search::open_lists() {
    while (!lists_exhausted_ && (is_list_due() || is_reaching_)) {
        const LevelScan::Need need = root_->need();
        if (need == LevelScan::Need::kMore) {
            lists_exhausted_ = true;
        } else if (need != LevelScan::Need::kNothing) {
            return step_of(*root_, shape_.depth - 1, need);
        } else if (is_list_due() || is_worth_opening(root_->top())) {
            const FoundEntry list = root_->pop();
            target_->open_list(list.pointer.block(), list.terms);
        } else {
            is_reaching_ = false;
        }
    }
    return std::nullopt;
}

// Queries differ in how far they must go, and what a filter leaves may lie far from the query, in
// lists that are all about equally far. So before a row is given out, lists are opened that may
// hold nearer ones; before the first rows, nearer than the last of them.
bool Search::is_worth_opening(const FoundEntry& list) {
    const float row_key = target_->wanted_key();
    if (static_cast<double>(target_->matching_count()) < wanted_lists().most &&
        options_.probes.may_hold(shape_.metric, list.key, row_key))
        return true;
    // A few at a time: each may bring the row nearer.
    const uint64_t opened = target_->opened_count() - reached_from_;
    return options_.filter != nullptr && opened <= reached_from_ / 8 &&
           options_.probes.may_reach(shape_.metric, list.key, row_key, left_nearby_);
}

// In steps, so that many rows do not make a round of reading for each list.
void Search::count_lists() {
    // What a filter lets through shows when the lists are read.
    if (options_.filter != nullptr && target_->has_unread()) return;
    const auto wanted =
        static_cast<uint64_t>(std::clamp(std::ceil(wanted_lists().first), 1.0, 1e9));
    const uint64_t opened = target_->opened_count();
    const uint64_t matching = target_->matching_count();
    // A list without a match is not one of those wanted, which shows when it is read.
    if (wanted > matching && opened + wanted - matching > lists_to_open_)
        lists_to_open_ = opened + std::max(wanted - matching, opened / 16);
}

SearchStep Search::next() {
    for (;;) {
        count_lists();
        if (std::optional<SearchStep> step = open_lists()) return *step;
        const LevelScan::Need need = target_->need();
        const bool is_dry = need == LevelScan::Need::kMore;
        if ((is_dry || need == LevelScan::Need::kNothing) && !lists_exhausted_) {
            const uint64_t opened = target_->opened_count();
            if (is_dry && options_.radius == kInfinity) {
                lists_to_open_ = opened + std::max<uint64_t>(1, opened / 2);
            } else if (goes_by_reach(options_)) {
                if (emitted_count_ == 0) left_nearby_ = target_->left_nearby();
                is_reaching_ = true;
                reached_from_ = opened;
                if (std::optional<SearchStep> step = open_lists()) return *step;
            }
            if (lists_to_open_ > opened || target_->has_unread()) continue;
        }
        return step_of(*target_, std::min(options_.target_level, shape_.depth - 1), need);
    }
}

SearchStep Search::step_of(LevelScan& level, uint32_t level_number, LevelScan::Need need) {
    current_ = &level;
    SearchStep step{};
    step.level = level_number;
    switch (need) {
        case LevelScan::Need::kList:
            step.what = SearchStep::What::kReadList;
            step.list_id = level.list_to_read();
            break;
        case LevelScan::Need::kEntry:
            step.what = SearchStep::What::kReadEntry;
            step.place = level.entry_to_read();
            break;
        case LevelScan::Need::kDistance:
            step.what = SearchStep::What::kMeasure;
            step.found = level.entry_to_measure();
            break;
        case LevelScan::Need::kNothing:
            step.what = SearchStep::What::kEmit;
            step.found = level.pop();
            ++emitted_count_;
            break;
        case LevelScan::Need::kMore:
            step.what = SearchStep::What::kDone;
            break;
    }
    return step;
}

}  // namespace lookalike
