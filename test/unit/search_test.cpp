#include "core/search/search.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "memory_index.h"

namespace lookalike {
namespace {

constexpr size_t kTiny = 1;                 // a window of 64, and no wider ever
constexpr size_t kSmall = 200 * 64;         // widens twice
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
        MemoryIndex index({Metric::kHamming, 70, Refine::kNone, 2000, 12});
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
    EXPECT_GE(lists_read(plan(-1e30f), 51), 30u);
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

TEST(Search, FindsNothingWithinANegativeRadius) {
    for (const uint32_t lists : {1u, 12u}) {
        MemoryIndex index({Metric::kHamming, 70, Refine::kNone, 1500, lists});
        SearchOptions options = options_with(kLarge);
        options.radius = -1;
        MemorySearch search(index, index.row(17), options);
        EXPECT_TRUE(search.all().empty());
    }
}

}  // namespace
}  // namespace lookalike
