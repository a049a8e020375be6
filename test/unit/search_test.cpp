#include "core/search/search.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "memory_index.h"

namespace lookalike {
namespace {

constexpr size_t kTiny = 1;  // a window of 64, and no wider ever
// Widens once.
constexpr size_t kSmall = 2 * CandidateWindow::bytes(2 * CandidateWindow::kDefaultCapacity);
constexpr size_t kLarge = size_t{1} << 24;  // holds everything

SearchOptions options_with(size_t memory_bytes, uint32_t probes = 1, bool exhaustive = false) {
    return {.probes = ProbePlan(probes),
            .target_level = 0,
            .exhaustive = exhaustive,
            .memory_bytes = memory_bytes};
}

std::vector<uint32_t> rows_of(const std::vector<FoundEntry>& found) {
    std::vector<uint32_t> rows;
    for (const FoundEntry& entry : found)
        rows.push_back(MemoryIndex::row_of(entry.pointer));
    return rows;
}

/// Rows 0 .. count - 1, each once. Rows that were inserted later are nobody's business: a snapshot
/// does not see them.
void expect_each_once(const std::vector<FoundEntry>& found, uint32_t count) {
    std::vector<uint32_t> times(count);
    for (const uint32_t row : rows_of(found))
        if (row < count) ++times[row];
    for (uint32_t row = 0; row < count; ++row)
        ASSERT_EQ(times[row], 1u) << "row " << row;
}

std::vector<MemoryIndexOptions> kinds_of_index() {
    std::vector<MemoryIndexOptions> kinds;
    for (const uint32_t lists : {1u, 12u}) {
        for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine})
            for (const Refine refine :
                 {Refine::kInt8, Refine::kHalf, Refine::kFloat, Refine::kNone})
                kinds.push_back({metric, 20, refine, 1500, lists});
        for (const Metric metric : {Metric::kHamming, Metric::kJaccard})
            kinds.push_back({metric, 70, Refine::kNone, 1500, lists});
    }
    // Codes and slots outside the list page.
    kinds.push_back({Metric::kL2, 2040, Refine::kInt8, 300, 3});
    kinds.push_back({Metric::kHamming, 9000, Refine::kNone, 300, 3});
    return kinds;
}

std::string describe(const MemoryIndexOptions& kind) {
    return "metric " + std::to_string(static_cast<int>(kind.metric)) + " refine " +
           std::to_string(static_cast<int>(kind.refine)) + " lists " +
           std::to_string(kind.list_count);
}

TEST(Search, GivesEveryRowOnceAndNoBoundAboveItsDistance) {
    for (const MemoryIndexOptions& kind : kinds_of_index()) {
        SCOPED_TRACE(describe(kind));
        MemoryIndex index(kind);
        const DescriptorView query = index.row(17);
        for (const size_t memory : {kTiny, kLarge}) {
            MemorySearch search(index, query, options_with(memory));
            const std::vector<FoundEntry> found = search.all();
            expect_each_once(found, kind.row_count);
            EXPECT_EQ(found.size(), kind.row_count);
            if (kind.refine == Refine::kNone && !is_binary(kind.metric)) continue;
            for (const FoundEntry& entry : found) {
                const uint32_t row = MemoryIndex::row_of(entry.pointer);
                ASSERT_LE(entry.distance, index.distance(row, query));
            }
        }
    }
}

// As if ten rows had been found to take 30 lists.
Calibration spread_calibration(float reach_within, uint32_t lists = 30) {
    Calibration calibration{};
    calibration.query_count = 1;
    calibration.list_count = 2 * lists;
    for (auto& probes : calibration.probes)
        std::ranges::fill(probes, lists);
    std::ranges::fill(calibration.reach_within, reach_within);
    calibration.residual = 1;
    return calibration;
}

// What was left out of a window comes from reading the lists again, at its own place.
TEST(Search, GivesTheSameSequenceWhateverTheMemory) {
    for (const MemoryIndexOptions& kind : kinds_of_index()) {
        SCOPED_TRACE(describe(kind));
        MemoryIndex index(kind);
        const DescriptorView query = index.row(17);
        MemorySearch large(index, query, options_with(kLarge, 2));
        const std::vector<uint32_t> expected = rows_of(large.all());
        for (const size_t memory : {kTiny, kSmall}) {
            MemorySearch search(index, query, options_with(memory, 2));
            EXPECT_EQ(rows_of(search.all()), expected);
        }
        SearchOptions options = options_with(kLarge);
        options.probes = ProbePlan(spread_calibration(0.7f, 8), 0.9);
        MemorySearch spread(index, query, options);
        const std::vector<uint32_t> spread_rows = rows_of(spread.all());
        for (const size_t memory : {kTiny, kSmall}) {
            options.memory_bytes = memory;
            MemorySearch search(index, query, options);
            EXPECT_EQ(rows_of(search.all()), spread_rows);
        }
    }
}

// A wider window would read the list less often.
TEST(Search, GivesHalfOfItsMemoryToTheWindow) {
    constexpr uint32_t kRows = 20000;
    constexpr size_t kCapacity = 2 * CandidateWindow::kDefaultCapacity;
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, kRows, 1});
    MemorySearch search(index, index.row(5), options_with(2 * CandidateWindow::bytes(kCapacity)));
    search.all();
    // A window keeps half more than its capacity at most.
    EXPECT_GE(search.search().leaf().counters().lists_read, kRows / (kCapacity * 3 / 2));
    EXPECT_LE(search.search().leaf().counters().lists_read, kRows / kCapacity + 2);
}

TEST(Search, IsOrderedWhenItLooksAtEveryEntry) {
    for (MemoryIndexOptions kind : kinds_of_index()) {
        if (kind.list_count > 1 || kind.refine == Refine::kNone) continue;
        SCOPED_TRACE(describe(kind));
        kind.different = 100;
        MemoryIndex index(kind);
        const DescriptorView query = index.row(17);
        std::vector<std::pair<float, uint32_t>> keys;
        MemorySearch search(index, query, options_with(kTiny, 1, true));
        for (const FoundEntry& entry : search.all())
            keys.emplace_back(entry.key, MemoryIndex::row_of(entry.pointer));
        EXPECT_EQ(keys.size(), kind.row_count);
        // Ties in the order of the rows.
        EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
    }
}

TEST(Search, OrdersBinaryRowsExactly) {
    for (const Metric metric : {Metric::kHamming, Metric::kJaccard}) {
        MemoryIndex index({metric, 70, Refine::kNone, 2000, 1});
        const DescriptorView query = index.row(3);
        for (const size_t memory : {kTiny, kLarge}) {
            MemorySearch search(index, query, options_with(memory));
            std::vector<std::pair<float, uint32_t>> keys;
            for (const FoundEntry& entry : search.all()) {
                const uint32_t row = MemoryIndex::row_of(entry.pointer);
                keys.emplace_back(entry.key, row);
                ASSERT_NEAR(entry.distance, index.distance(row, query), 1e-6);
            }
            EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
        }
    }
}

// Rows of equal distance lie in several lists: their places in the table decide.
TEST(Search, OrdersTiesAcrossListsByRow) {
    for (const size_t memory : {kTiny, kLarge}) {
        // At most 64 at any distance.
        MemoryIndex index({Metric::kHamming, 70, Refine::kNone, 500, 12});
        MemorySearch search(index, index.row(3), options_with(memory, 12));
        std::vector<std::pair<float, uint32_t>> keys;
        for (const FoundEntry& entry : search.all())
            keys.emplace_back(entry.key, MemoryIndex::row_of(entry.pointer));
        EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
    }
}

TEST(Search, FindsTheNearestRowsFirst) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 3000, 20});
    uint32_t hits = 0;
    for (uint32_t q = 0; q < 50; ++q) {
        const DescriptorView query = index.row(q);
        std::vector<std::pair<double, uint32_t>> exact;
        for (uint32_t row = 0; row < index.row_count(); ++row)
            exact.emplace_back(index.distance(row, query), row);
        std::sort(exact.begin(), exact.end());
        MemorySearch search(index, query, options_with(kLarge, 20));
        for (uint32_t i = 0; i < 12; ++i) {
            FoundEntry found;
            ASSERT_TRUE(search.next(&found));
            const auto* place = std::find_if(exact.data(), exact.data() + 10, [&](const auto& row) {
                return row.second == MemoryIndex::row_of(found.pointer);
            });
            hits += place != exact.data() + 10;
        }
    }
    EXPECT_GE(hits, 490u);  // of 500
}

TEST(Search, OpensMoreListsAsMoreRowsAreTaken) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 4000, 60});
    MemorySearch search(index, index.row(5), options_with(kLarge, 4));
    FoundEntry found;
    ASSERT_TRUE(search.next(&found));
    EXPECT_EQ(search.search().leaf().counters().lists_read, 4u);
    for (int i = 1; i < 40; ++i)
        ASSERT_TRUE(search.next(&found));
    EXPECT_EQ(search.search().leaf().counters().lists_read, 4u);
    for (int i = 40; i < 400; ++i)
        ASSERT_TRUE(search.next(&found));
    const uint64_t later = search.search().leaf().counters().lists_read;
    EXPECT_GE(later, static_cast<uint64_t>(std::ceil(4 * std::pow(399.0 / 40, 0.4))));
    EXPECT_LT(later, 30u);
    while (search.next(&found)) {
    }
    EXPECT_EQ(search.search().leaf().opened_count(), 60u);
    EXPECT_EQ(search.search().emitted_count(), 4000u);
}

// As if ten rows were in two lists, while rows far off may be in any list.
TEST(Search, ReachesFurtherForLateRowsAndForQueriesUnlikeAllRows) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 4000, 60});
    Calibration calibration = spread_calibration(-1e30f, 2);
    calibration.residual = 1000;  // no query is unlike these
    std::ranges::fill(calibration.reach_besides, -1.0f);
    const auto lists_read = [&](int row_count) {
        SearchOptions options = options_with(kLarge);
        options.probes = ProbePlan(calibration, 0.9);
        MemorySearch search(index, index.row(5), options);
        FoundEntry found;
        for (int i = 0; i < row_count; ++i)
            EXPECT_TRUE(search.next(&found));
        return search.search().leaf().counters().lists_read;
    };
    std::ranges::fill(calibration.reach, -1.0f);
    const uint64_t by_count = lists_read(1000);
    EXPECT_LT(lists_read(1200), 60u);
    EXPECT_LE(lists_read(50), 2u);
    std::ranges::fill(calibration.reach, 1e30f);
    EXPECT_LE(lists_read(50), 2u);
    EXPECT_EQ(lists_read(1000), by_count);
    EXPECT_EQ(lists_read(1200), 60u);
    calibration.residual = 0.01f;
    EXPECT_EQ(lists_read(1), 60u);
    // What is needed besides the spread is asked for as soon as the spread is no measure.
    calibration.residual = 1000;
    std::ranges::fill(calibration.reach, -1.0f);
    std::ranges::fill(calibration.reach_besides, 1e30f);
    EXPECT_LE(lists_read(50), 2u);
    EXPECT_EQ(lists_read(51), 60u);
}

TEST(Search, OpensAQuarterAndThenTheListsThatMayReach) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 4000, 60});
    const auto plan = [](float reach) { return ProbePlan(spread_calibration(reach), 0.9); };
    const auto lists_read = [&](const ProbePlan& probes, int row_count) {
        SearchOptions options = options_with(kLarge);
        options.probes = probes;
        MemorySearch search(index, index.row(5), options);
        FoundEntry found;
        for (int i = 0; i < row_count; ++i)
            EXPECT_TRUE(search.next(&found));
        return search.search().leaf().counters().lists_read;
    };
    for (const int row_count : {1, 50}) {
        EXPECT_EQ(lists_read(plan(-1e30f), row_count), 8u);
        EXPECT_EQ(lists_read(plan(1e30f), row_count), 30u);
        EXPECT_EQ(lists_read(plan(0), row_count), 30u);  // not measured
    }
    EXPECT_GE(lists_read(plan(-1e30f), 51), 15u);
    EXPECT_LT(lists_read(plan(-1e30f), 51), 30u);
    ProbePlan by_number = plan(1e30f);
    by_number.start_with(7);
    EXPECT_EQ(lists_read(by_number, 1), 7u);
    std::set<uint64_t> counts;
    for (float reach = -2; reach < 4; reach += 0.02f)
        counts.insert(lists_read(plan(reach), 1));
    EXPECT_GE(counts.size(), 8u);
    EXPECT_EQ(*counts.begin(), 8u);
    EXPECT_EQ(*counts.rbegin(), 30u);
    SearchOptions options = options_with(kTiny);
    options.probes = plan(0.5f);
    MemorySearch search(index, index.row(5), options);
    expect_each_once(search.all(), 4000);
    // Who asks for a sphere has a radius to end at.
    options.radius = 1e-3;
    MemorySearch sphere(index, index.row(5), options);
    FoundEntry found;
    ASSERT_TRUE(sphere.next(&found));
    EXPECT_EQ(sphere.search().leaf().opened_count(), 30u);
}

TEST(Search, StopsAtTheNearestListForInserts) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 600, 30});
    const DescriptorView query = index.row(9 * 3);  // the centroid of list 9
    MemorySearch search(
        index, query,
        {.probes = ProbePlan(1), .target_level = 1, .exhaustive = false, .memory_bytes = 0});
    FoundEntry found;
    ASSERT_TRUE(search.next(&found));
    EXPECT_EQ(found.pointer.block(), index.lists()[9]);
    uint32_t count = 1;
    while (search.next(&found))
        ++count;
    EXPECT_EQ(count, 30u);
}

// The scan's snapshot sees none of the new rows; it must neither trip over them nor lose others.
TEST(Search, GoesOnWhileRowsAreInserted) {
    for (const MemoryIndexOptions& kind : kinds_of_index()) {
        SCOPED_TRACE(describe(kind));
        MemoryIndex index(kind);
        std::mt19937_64 random(4);
        MemorySearch search(index, index.row(17), options_with(kTiny));
        search.before_step = [&](const SearchStep& step) {
            if (step.what != SearchStep::What::kReadList && random() % 50 != 0) return;
            for (int i = 0; i < 3; ++i)
                index.insert_like(static_cast<uint32_t>(random() % kind.row_count));
        };
        expect_each_once(search.all(), kind.row_count);
        EXPECT_GT(index.row_count(), kind.row_count);
    }
}

TEST(Search, GoesOnWhileRowsAreRemoved) {
    for (const MemoryIndexOptions& kind : kinds_of_index()) {
        SCOPED_TRACE(describe(kind));
        MemoryIndex index(kind);
        std::mt19937_64 random(5);
        std::set<uint32_t> removed;
        MemorySearch search(index, index.row(17), options_with(kTiny));
        search.before_step = [&](const SearchStep&) {
            const auto row = static_cast<uint32_t>(random() % kind.row_count);
            if (row % 3 != 0 || !index.remove(row)) return;
            removed.insert(row);
            // Its place may go to another row at once.
            if (row % 2 == 0) index.insert_like(row);
        };
        std::vector<uint32_t> times(kind.row_count);
        for (const uint32_t row : rows_of(search.all()))
            if (row < kind.row_count) ++times[row];
        for (uint32_t row = 0; row < kind.row_count; ++row) {
            ASSERT_LE(times[row], 1u);
            ASSERT_GE(times[row] + removed.count(row), 1u);
        }
        EXPECT_FALSE(removed.empty());
    }
}

TEST(Search, LooksAtWhatCouldNotBeComputedFirst) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 1500, 1});
    const ListGeometry geometry = index.geometry(0);
    uint8_t* page = index.store.page(index.lists()[0]);
    const ScanColumns columns = ListPageView(geometry, page).columns(0);
    const_cast<float*>(columns.base)[5] = NAN;
    const_cast<float*>(columns.scale)[6] = INFINITY;
    for (const size_t memory : {kTiny, kLarge}) {
        MemorySearch search(index, index.row(17), options_with(memory));
        const std::vector<FoundEntry> found = search.all();
        expect_each_once(found, 1500);
        EXPECT_EQ(found.size(), 1500u);
    }
}

TEST(Search, IsDoneAtOnceWhereThereIsNothing) {
    for (const Metric metric : {Metric::kL2, Metric::kHamming}) {
        MemoryIndex index({metric, 20, Refine::kInt8, 1, 1});
        const std::vector<uint8_t> query(80, 1);
        ASSERT_TRUE(index.remove(0));
        MemorySearch search(index, index.row(0), options_with(kLarge));
        FoundEntry found;
        EXPECT_FALSE(search.next(&found));
        EXPECT_FALSE(search.next(&found));
    }
}

// The distance of the nearest `count` rows.
double radius_of(const MemoryIndex& index, const DescriptorView& query, uint32_t count) {
    std::vector<double> distances;
    for (uint32_t row = 0; row < index.row_count(); ++row)
        distances.push_back(index.distance(row, query));
    std::sort(distances.begin(), distances.end());
    return distances[count - 1];
}

TEST(Search, FindsAllWithinARadiusWhenItLooksAtEverything) {
    for (const MemoryIndexOptions& kind : kinds_of_index()) {
        SCOPED_TRACE(describe(kind));
        MemoryIndex index(kind);
        const DescriptorView query = index.row(17);
        for (const size_t memory : {kTiny, kLarge}) {
            for (const uint32_t count : {1u, 40u}) {
                // Keys of binary rows are exact without.
                SearchOptions options =
                    options_with(memory, kind.list_count, !is_binary(kind.metric));
                options.radius = radius_of(index, query, count);
                MemorySearch search(index, query, options);
                const std::vector<FoundEntry> found = search.all();
                std::vector<uint32_t> times(kind.row_count);
                for (const uint32_t row : rows_of(found))
                    ++times[row];
                for (uint32_t row = 0; row < kind.row_count; ++row) {
                    ASSERT_LE(times[row], 1u);
                    const bool is_within = index.distance(row, query) <= options.radius;
                    ASSERT_TRUE(!is_within || times[row] == 1) << "row " << row;
                }
                // What comes could lie within, for all that the index knows.
                for (const FoundEntry& entry : found)
                    ASSERT_LE(entry.distance, options.radius + 1e-5 * std::abs(options.radius));
            }
        }
    }
}

TEST(Search, EndsAtTheRadius) {
    for (const uint32_t lists : {1u, 12u}) {
        for (const Metric metric :
             {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kHamming}) {
            MemoryIndex index({metric, 70, Refine::kInt8, 1500, lists});
            const DescriptorView query = index.row(17);
            for (const size_t memory : {kTiny, kSmall, kLarge}) {
                SearchOptions options = options_with(memory, lists);
                options.radius = radius_of(index, query, 40);
                MemorySearch search(index, query, options);
                uint32_t within = 0;
                for (const uint32_t row : rows_of(search.all()))
                    within += index.distance(row, query) <= options.radius;
                SCOPED_TRACE(within);
                EXPECT_GE(within, 36u);
                EXPECT_LT(search.search().leaf().counters().entries_refined, 1200u);
            }
        }
    }
}

// It does not go through the other lists in search of rows that are not there.
TEST(Search, OpensNoMoreListsThanItsRowsAskFor) {
    MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 1500, 12});
    const DescriptorView query = index.row(17);
    for (const double radius : {0.0, 1e-3, radius_of(index, query, 3)}) {
        SearchOptions options = options_with(kLarge, 2);
        options.radius = radius;
        MemorySearch search(index, query, options);
        EXPECT_GE(search.all().size(), 1u);
        EXPECT_EQ(search.search().leaf().opened_count(), 2u);
    }
}

/// 400 rows, and 2,600 copies of one of them.
std::vector<MemoryIndexOptions> kinds_with_ties() {
    std::vector<MemoryIndexOptions> kinds;
    for (const uint32_t lists : {1u, 12u}) {
        for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine})
            for (const Refine refine :
                 {Refine::kInt8, Refine::kHalf, Refine::kFloat, Refine::kNone})
                kinds.push_back({metric, 20, refine, 3000, lists, 400, true});
        for (const Metric metric : {Metric::kHamming, Metric::kJaccard})
            kinds.push_back({metric, 70, Refine::kNone, 3000, lists, 400, true});
    }
    return kinds;
}

bool gives_bounds(const MemoryIndexOptions& kind) {
    return kind.metric == Metric::kJaccard ||
           (kind.metric != Metric::kHamming && kind.refine != Refine::kNone);
}

SearchOptions options_with_ties(const MemoryIndexOptions& kind, size_t memory,
                                bool exhaustive = false) {
    SearchOptions options = options_with(memory, kind.list_count, exhaustive);
    options.measures_ties = gives_bounds(kind);
    return options;
}

/// What the executor makes of it: a row goes out when a bound has passed its distance.
class Executor {
  public:
    Executor(MemoryIndex& index, const DescriptorView& query, const SearchOptions& options)
        : index_(index), query_(query), search(index, query, options) {}

    bool next(double* distance) {
        FoundEntry found;
        while (!is_at_end_ && (waiting_.empty() || *waiting_.begin() > bound_)) {
            is_at_end_ = !search.next(&found);
            if (is_at_end_) break;
            const double exact = index_.distance(MemoryIndex::row_of(found.pointer), query_);
            bound_ = found.distance;
            // The executor trusts what is called exact, and ends where another bound is too high.
            EXPECT_TRUE(found.is_exact ? bound_ == exact : bound_ <= exact);
            waiting_.insert(exact);
            most_waiting = std::max(most_waiting, waiting_.size());
        }
        if (waiting_.empty()) return false;
        *distance = *waiting_.begin();
        waiting_.erase(waiting_.begin());
        return true;
    }

  private:
    MemoryIndex& index_;
    DescriptorView query_;
    std::multiset<double> waiting_;
    double bound_ = -INFINITY;
    bool is_at_end_ = false;

  public:
    MemorySearch search;
    size_t most_waiting = 0;
};

TEST(Ties, AreNotAllReadBeforeTheFirstIsGivenOut) {
    for (const MemoryIndexOptions& kind : kinds_with_ties()) {
        SCOPED_TRACE(describe(kind));
        MemoryIndex index(kind);
        // Beside them, among the others, and farther off than most of them.
        for (const uint32_t query : {0u, 17u, 33u}) {
            const double copies = index.distance(0, index.row(query));
            uint64_t nearer = 0;
            for (uint32_t row = 0; row < kind.different; ++row)
                nearer += index.distance(row, index.row(query)) < copies;
            MemorySearch search(index, index.row(query), options_with_ties(kind, kLarge));
            FoundEntry found;
            for (uint64_t i = 0; i < nearer + 20; ++i)
                ASSERT_TRUE(search.next(&found));
            EXPECT_LE(search.search().leaf().counters().entries_refined, kind.different + 150u);
        }
    }
}

TEST(Ties, ComeWhereTheyBelong) {
    for (const MemoryIndexOptions& kind : kinds_with_ties()) {
        if (!gives_bounds(kind)) continue;
        for (const bool exhaustive : {false, true}) {
            if (exhaustive && (kind.list_count > 1 || is_binary(kind.metric))) continue;
            SCOPED_TRACE(describe(kind) + (exhaustive ? " exhaustive" : ""));
            MemoryIndex index(kind);
            for (const uint32_t query : {0u, 17u, 33u}) {
                std::vector<double> expected;
                for (uint32_t row = 0; row < kind.row_count; ++row)
                    expected.push_back(index.distance(row, index.row(query)));
                std::sort(expected.begin(), expected.end());
                Executor executor(index, index.row(query),
                                  options_with_ties(kind, kLarge, exhaustive));
                std::vector<double> came;
                uint32_t late = 0;
                double highest = -INFINITY;
                for (double distance; executor.next(&distance);) {
                    came.push_back(distance);
                    late += distance < highest;
                    highest = std::max(highest, distance);
                }
                // A scan code hides few rows.
                EXPECT_LE(late, exhaustive ? 0u : 30u);
                std::sort(came.begin(), came.end());
                EXPECT_EQ(came, expected);
                EXPECT_LE(executor.most_waiting, 300u);
            }
        }
    }
}

TEST(Ties, ComeOnceAndInTheSameSequenceWhateverTheMemory) {
    for (const MemoryIndexOptions& kind : kinds_with_ties()) {
        SCOPED_TRACE(describe(kind));
        MemoryIndex index(kind);
        for (const uint32_t query : {0u, 17u}) {
            MemorySearch large(index, index.row(query), options_with_ties(kind, kLarge));
            const std::vector<FoundEntry> found = large.all();
            expect_each_once(found, kind.row_count);
            for (const size_t memory : {kTiny, kSmall}) {
                MemorySearch search(index, index.row(query), options_with_ties(kind, memory));
                EXPECT_EQ(rows_of(search.all()), rows_of(found));
            }
        }
    }
}

TEST(Ties, OfOneListComeInTheOrderOfTheirRows) {
    for (const MemoryIndexOptions& kind : kinds_with_ties()) {
        if (kind.list_count > 1) continue;
        SCOPED_TRACE(describe(kind));
        MemoryIndex index(kind);
        MemorySearch search(index, index.row(17), options_with_ties(kind, kSmall));
        std::vector<uint32_t> copies;
        for (const uint32_t row : rows_of(search.all()))
            if (row == 0 || row >= kind.different) copies.push_back(row);
        EXPECT_EQ(copies.size(), 2601u);
        EXPECT_TRUE(std::is_sorted(copies.begin(), copies.end()));
    }
}

// Rows that the snapshot does not see are no ground to expect others where they lie.
TEST(Ties, GoOnWhereTheirFirstRowsAreHidden) {
    for (const MemoryIndexOptions& kind : kinds_with_ties()) {
        SCOPED_TRACE(describe(kind));
        MemoryIndex index(kind);
        MemorySearch search(index, index.row(17), options_with_ties(kind, kSmall));
        search.is_hidden = [](uint32_t row) { return row >= 400 && row < 1500; };
        std::vector<FoundEntry> seen = search.all();
        std::erase_if(seen, [&](const FoundEntry& found) {
            return search.is_hidden(MemoryIndex::row_of(found.pointer));
        });
        EXPECT_EQ(seen.size(), 1900u);
    }
}

TEST(Ties, OfSeveralKindsComeOnceAndInTheirPlaces) {
    for (const uint32_t different : {3u, 10u, 40u}) {
        MemoryIndex index({Metric::kL2, 20, Refine::kInt8, 8000, 12, different});
        for (const size_t memory : {kTiny, kLarge}) {
            SearchOptions options = options_with(memory, 12);
            options.measures_ties = true;
            const std::vector<float> query(20, 0.1f);
            const DescriptorView view{Kind::kReal, 20, query.data()};
            Executor executor(index, view, options);
            std::vector<double> distances;
            for (double distance; executor.next(&distance);)
                distances.push_back(distance);
            EXPECT_EQ(distances.size(), 8000u);
            EXPECT_TRUE(std::is_sorted(distances.begin(), distances.end()));
            MemorySearch search(index, view, options);
            expect_each_once(search.all(), 8000);
        }
    }
}

// A list of nothing but copies need not be read whole.
TEST(Ties, LeaveAListHalfRead) {
    for (const Refine refine : {Refine::kInt8, Refine::kHalf, Refine::kFloat, Refine::kNone}) {
        MemoryIndex index({Metric::kL2, 20, refine, 20000, 2, 1});
        const std::vector<float> query(20, 0.1f);
        for (const size_t memory : {kTiny, kSmall, kLarge}) {
            SearchOptions options = options_with(memory, 2);
            options.measures_ties = refine != Refine::kNone;
            MemorySearch search(index, {Kind::kReal, 20, query.data()}, options);
            FoundEntry found;
            ASSERT_TRUE(search.next(&found));
            EXPECT_LE(search.search().leaf().counters().entries_scanned, 2000u);
            std::vector<FoundEntry> all = search.all();
            all.push_back(found);
            expect_each_once(all, 20000);
        }
    }
}

TEST(Search, FindsNothingWithinANegativeRadius) {
    for (const uint32_t lists : {1u, 12u}) {
        MemoryIndex index({Metric::kHamming, 70, Refine::kNone, 1500, lists});
        SearchOptions options = options_with(kLarge);
        options.radius = -1;
        MemorySearch search(index, index.row(17), options);
        EXPECT_TRUE(search.all().empty());
    }
}

// Lists of three versions lie in one root, as while they are replaced one after the other.
TEST(Search, SeesTheListsOfItsVersion) {
    std::vector<Lifetime> lives;
    for (uint32_t list = 0; list < 60; ++list)
        lives.push_back(
            std::vector<Lifetime>{{}, {0, 5}, {5, 6}, {6, kInTree}, {5, kInTree}}[list % 5]);
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kHamming}) {
        for (const uint32_t probes : {1u, 60u}) {
            MemoryIndex index({.metric = metric,
                               .dims = 70,
                               .refine = Refine::kInt8,
                               .row_count = 2000,
                               .list_count = 60,
                               .lifetimes = lives});
            for (const uint32_t version : {0u, 4u, 5u, 6u, 100u}) {
                SCOPED_TRACE(testing::Message() << int(metric) << " at " << version);
                const EntryFilter lists = filter_of_version(version);
                SearchOptions options = options_with(kLarge, probes);
                options.lists = &lists;
                MemorySearch search(index, index.row(3), options);
                std::vector<uint32_t> rows = rows_of(search.all());
                std::ranges::sort(rows);
                std::vector<uint32_t> expected;
                for (uint32_t row = 0; row < index.row_count(); ++row) {
                    const Lifetime& life = lives[index.list_of_row(row)];
                    if (life.born <= version && version < life.retired) expected.push_back(row);
                }
                EXPECT_EQ(rows, expected);
            }
        }
    }
}

// An insert looks for the nearest list that it may put its entry into.
TEST(Search, FindsTheNearestListOfItsVersion) {
    std::vector<Lifetime> lives(40);
    for (uint32_t list = 0; list < 40; list += 2)
        lives[list].retired = 3;
    MemoryIndex index({.metric = Metric::kL2,
                       .dims = 20,
                       .refine = Refine::kInt8,
                       .row_count = 500,
                       .list_count = 40,
                       .lifetimes = lives});
    const EntryFilter lists = filter_of_version(3);
    SearchOptions options = options_with(kLarge);
    options.target_level = 1;
    options.lists = &lists;
    for (uint32_t list = 0; list < 40; list += 2) {
        // Some rows are the centroids, and this one's list is gone.
        MemorySearch search(index, index.row(list * 3), options);
        FoundEntry found;
        ASSERT_TRUE(search.next(&found));
        const auto position = std::ranges::find(index.lists(), found.pointer.block());
        ASSERT_NE(position, index.lists().end());
        EXPECT_EQ((position - index.lists().begin()) % 2, 1);
        EXPECT_EQ(search.all().size(), 19u);
    }
}

}  // namespace
}  // namespace lookalike
