#include "core/search/search.h"

#include <algorithm>
#include <cmath>

namespace lookalike {
namespace {

// Lists differ in size: what holds half of the mean tells nothing.
constexpr double kUnevenness = 2;
// Waiting for their turn, however little memory there is: 400 kB.
constexpr size_t kFewestFound = 4096;
constexpr size_t kSmallestWindow = 64;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The highest key that a distance of `radius` may have; a little more, as it was computed
// elsewhere.
float key_limit(Metric metric, double radius) {
    return std::nextafter(round_up(distance_to_key(metric, radius)),
                          std::numeric_limits<float>::infinity());
}

// Half of the memory is the window's. What has been found has a quarter, in an array that doubles.
LevelOptions level_options(const SearchOptions& options, Metric metric, uint32_t level,
                           bool goes_by_reach) {
    const size_t capacity =
        std::max(CandidateWindow::capacity_within(options.memory_bytes / 2), kSmallestWindow);
    return {
        .level = level,
        .exhaustive = options.exhaustive,
        .window_capacity = std::min(CandidateWindow::kDefaultCapacity, capacity),
        .max_window_capacity = capacity,
        .filter = level == 0 ? options.filter : options.lists,
        .key_limit = key_limit(metric, level == 0 ? options.radius : kInfinity),
        .max_found = level == 0 && !options.exhaustive && !options.keeps_order
                         ? std::max(options.memory_bytes / (4 * sizeof(FoundEntry)), kFewestFound)
                         : std::numeric_limits<size_t>::max(),
        .first_rows = level == 0 && goes_by_reach ? kFirstRows : 1,
        // A Hamming distance is what its bound says: nothing lies between them.
        .thins_ties = level == 0 && !options.exhaustive && metric != Metric::kHamming,
        .measures_ties = level == 0 && options.measures_ties};
}

}  // namespace

Search::Search(const IndexShape& shape, const BlockScorer& scorer, const SearchOptions& options)
    : shape_(shape), options_(options), key_scale_(scorer.key_scale()) {
    // A sphere has a radius to end at.
    if (options.radius < kInfinity) options_.probes.give_up_spread();
    const uint32_t root_level = shape.depth - 1;
    const uint32_t target_level = std::min(options.target_level, root_level);
    const auto emplace = [&](std::optional<LevelScan>* scan, uint32_t level) {
        scan->emplace(shape.levels[level], scorer, shape.refine,
                      level_options(options_, scorer.metric(), level, goes_by_reach()));
    };
    emplace(&target_, target_level);
    if (target_level == root_level) {
        target_->open_list(shape.root_list, scorer.root_terms());
        lists_exhausted_ = true;
        return;
    }
    emplace(&root_, root_level);
    root_->open_list(shape.root_list, scorer.root_terms());
}

// Whether lists are asked if they may hold what is wanted.
bool Search::goes_by_reach() const {
    return options_.probes.has_spread() ||
           (options_.filter != nullptr && options_.probes.has_reach());
}

// A filter that passes one in a hundred makes ten rows as hard to find as a thousand; so do lists
// that have lost most of their rows since they were measured. Where the filter leaves rows near the
// query, their reach tells better which lists to open.
double Search::remaining_share() const {
    const LevelScan::Counters& counters = target_->counters();
    const double passed = goes_by_reach()
                              ? std::pow(target_->passed_share(), 1 - target_->left_nearby())
                              : target_->passed_share();
    if (options_.rows_per_list <= 0 || counters.lists_read == 0) return passed;
    const double rows_per_list =
        (static_cast<double>(counters.entries_scanned) + 1) /
        (static_cast<double>(counters.lists_read - counters.lists_skipped) + 1);
    const double left = kUnevenness * rows_per_list / options_.rows_per_list;
    return passed * std::min(left, 1.0);
}

// How many lists should be open before the next row is given out. In steps, so that many rows do
// not make a round of reading for each list.
void Search::plan_lists() {
    // What a filter lets through shows when the lists are read.
    if (options_.filter != nullptr && target_->has_unread()) return;
    const uint64_t lists_read = target_->counters().lists_read;
    if (wanted_.lists.most > 0 && emitted_count_ == wanted_.at_row && lists_read == wanted_.at_list)
        return;
    const auto row = static_cast<double>(emitted_count_ + 1);
    wanted_ = {options_.probes.spread_for(row, remaining_share()), emitted_count_, lists_read};
    const auto first = static_cast<uint64_t>(std::clamp(std::ceil(wanted_.lists.first), 1.0, 1e9));
    const uint64_t opened = target_->opened_count();
    const uint64_t matching = target_->matching_count();
    // A list without a match is not one of those wanted, which shows when it is read.
    if (first > matching && opened + first - matching > due_lists_)
        due_lists_ = opened + std::max(first - matching, opened / 16);
}

// Opens lists in the order of their centroids' distances: those that are due, then those worth it.
// Returns what the root needs for that, if it needs something.
std::optional<LevelScan::Need> Search::open_lists() {
    while (!lists_exhausted_) {
        const bool is_due = target_->opened_count() < due_lists_;
        if (!is_due && !reaching_) break;
        const LevelScan::Need need = root_->need();
        if (need == LevelScan::Need::kMore) {
            lists_exhausted_ = true;
        } else if (need != LevelScan::Need::kNothing) {
            return need;
        } else if (is_due || is_worth_opening(root_->top())) {
            open_list(root_->pop());
        } else {
            reaching_.reset();
        }
    }
    return std::nullopt;
}

void Search::open_list(const FoundEntry& list) {
    if (target_->opened_count() == 0)
        far_query_ = options_.probes.far_of_query(shape_.metric, key_scale_ * list.key);
    target_->open_list(list.pointer.block(), list.terms);
}

// Queries differ in how far they must go, and what is wanted may lie far from the query, in lists
// that are all about equally far. So before a row is given out, lists are opened that may hold
// nearer ones; before the first rows, nearer than the last of them.
Search::Reaching Search::start_reaching() {
    if (emitted_count_ == 0) far_filter_ = 1 - target_->left_nearby();
    const auto row = static_cast<double>(emitted_count_ + 1);
    const double far = std::max(far_query_, options_.probes.far_of_row(row));
    const bool is_filtered = options_.filter != nullptr;
    return {.row_key = key_scale_ * target_->wanted_key(),
            .far = is_filtered ? std::max(far, far_filter_) : far,
            .opened = target_->opened_count(),
            .goes_beyond = is_filtered || far > 0 || options_.probes.goes_beyond(row)};
}

bool Search::is_worth_opening(const FoundEntry& list) const {
    const float list_key = key_scale_ * list.key;
    if (static_cast<double>(target_->matching_count()) < wanted_.lists.most &&
        options_.probes.may_hold(shape_.metric, list_key, reaching_->row_key))
        return true;
    // A few at a time: each may bring the row nearer.
    const uint64_t opened = target_->opened_count() - reaching_->opened;
    return reaching_->goes_beyond && opened <= reaching_->opened / 8 &&
           options_.probes.may_reach(shape_.metric, list_key, reaching_->row_key, reaching_->far);
}

// Before a row is given out, or where there is none: whether more lists are opened first.
bool Search::look_further(bool is_dry) {
    if (lists_exhausted_) return false;
    const uint64_t opened = target_->opened_count();
    if (is_dry && options_.radius == kInfinity) {
        due_lists_ = opened + std::max<uint64_t>(1, opened / 2);
    } else if (goes_by_reach()) {
        reaching_ = start_reaching();
    } else {
        return false;
    }
    return true;
}

SearchStep Search::next() {
    for (;;) {
        plan_lists();
        if (const auto need = open_lists()) return step_of(&*root_, *need);
        const LevelScan::Need need = target_->need();
        const bool is_dry = need == LevelScan::Need::kMore;
        if ((is_dry || need == LevelScan::Need::kNothing) && look_further(is_dry)) {
            if (const auto root_need = open_lists()) return step_of(&*root_, *root_need);
            if (target_->has_unread()) continue;
        }
        return step_of(&*target_, need);
    }
}

SearchStep Search::step_of(LevelScan* level, LevelScan::Need need) {
    SearchStep step{};
    step.level = level;
    switch (need) {
        case LevelScan::Need::kList:
            step.what = SearchStep::What::kReadList;
            step.list_id = level->list_to_read();
            break;
        case LevelScan::Need::kEntry:
            step.what = SearchStep::What::kReadEntry;
            step.place = level->entry_to_read();
            break;
        case LevelScan::Need::kDistance:
            step.what = SearchStep::What::kMeasure;
            step.found = level->entry_to_measure();
            break;
        case LevelScan::Need::kNothing:
            step.what = SearchStep::What::kEmit;
            step.found = level->pop();
            ++emitted_count_;
            break;
        case LevelScan::Need::kMore:
            step.what = SearchStep::What::kDone;
            break;
    }
    return step;
}

}  // namespace lookalike
