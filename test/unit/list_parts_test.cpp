#include "core/split/list_parts.h"

#include <bit>
#include <cmath>
#include <random>
#include <set>

#include "core/split/clusters.h"
#include "core/split/row_code.h"
#include "each_target.h"
#include "memory_index.h"

namespace lookalike {
namespace {

using Floats = std::vector<float>;
using Bytes = std::vector<uint8_t>;

constexpr Metric kRealMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};
constexpr Refine kCodes[] = {Refine::kInt8, Refine::kHalf, Refine::kFloat};

IndexShape shape_of(Metric metric, uint32_t dims, Refine refine) {
    MetaPage meta{};
    meta.metric = metric;
    meta.dims = dims;
    meta.refine = refine;
    return index_shape(meta);
}

/// Rows around a few centres, and their refine codes.
struct Rows {
    Rows(Metric metric, uint32_t dims, Refine refine, uint32_t center_count, uint64_t seed = 1)
        : shape(shape_of(metric, dims, refine)),
          space(metric, dims, 42, Floats(dims, metric == Metric::kCosine ? 0.0f : 0.3f)),
          random(seed) {
        for (uint32_t i = 0; i < center_count; ++i)
            centers.push_back(around(Floats(dims, 0.4f), 1));
    }

    void add(uint32_t count, float deviation = 0.6f) {
        for (uint32_t i = 0; i < count; ++i)
            add(around(centers[raw.size() % centers.size()], deviation));
    }
    void add(Floats row) {
        raw.push_back(std::move(row));
        vectors.emplace_back(shape.code_dims);
        const double rounding = space.to_space(raw.back().data(), vectors.back().data());
        codes.emplace_back(refine_bytes(shape.refine, shape.code_dims));
        encode_refine(shape.refine, vectors.back().data(), shape.code_dims, rounding,
                      codes.back().data());
    }
    Floats around(const Floats& center, float deviation) {
        std::normal_distribution<float> normal(0, deviation);
        Floats row = center;
        for (float& element : row)
            element += normal(random);
        return row;
    }
    void sample_all(ListParts& parts) const {
        for (const Bytes& code : codes)
            parts.add_to_sample(code.data());
        parts.end_list();
    }

    IndexShape shape;
    IndexSpace space;
    std::mt19937_64 random;
    std::vector<Floats> centers;
    std::vector<Floats> raw;
    std::vector<Floats> vectors;  // in index space
    std::vector<Bytes> codes;
};

EntryPointer pointer_of(uint32_t row) {
    return entry_pointer(row + 1, 1);
}

/// As whoever reads the root gets it.
Floats centroid_of(ListParts& parts, uint32_t part, uint32_t code_dims) {
    Floats centroid(code_dims);
    const EncodedEntry entry = parts.root_entry(part, entry_pointer(9, 1));
    EXPECT_TRUE(decode_refine(Refine::kFloat, entry.refine, code_dims, centroid.data()));
    return centroid;
}

TEST(ListParts, AnEntryGoesWhereTheNearestCentroidIs) {
    for (const Metric metric : kRealMetrics) {
        for (const Refine refine : kCodes) {
            Rows rows(metric, 50, refine, 3);
            rows.add(300, 0.3f);
            ListParts parts(rows.shape, &rows.space);
            rows.sample_all(parts);
            parts.find(3, {});
            ASSERT_EQ(parts.count(), 3u);
            std::vector<Floats> centroids;
            for (uint32_t part = 0; part < 3; ++part)
                centroids.push_back(centroid_of(parts, part, rows.shape.code_dims));
            std::set<uint32_t> used;
            for (size_t i = 0; i < rows.raw.size(); ++i) {
                const uint32_t part = parts.part_of(rows.codes[i].data());
                used.insert(part);
                // The centres are far apart: what a code loses decides nothing.
                EXPECT_EQ(part, parts.part_of(rows.codes[i % 3].data())) << i;
                for (const Floats& other : centroids)
                    EXPECT_LE(exact_l2_squared(rows.vectors[i].data(), centroids[part].data(),
                                               rows.shape.code_dims),
                              exact_l2_squared(rows.vectors[i].data(), other.data(),
                                               rows.shape.code_dims));
            }
            EXPECT_EQ(used.size(), 3u);
        }
    }
}

TEST(ListParts, ARefineCodeMovesByteByByte) {
    for (const Metric metric : kRealMetrics) {
        for (const Refine refine : kCodes) {
            Rows rows(metric, 50, refine, 2);
            rows.add(100);
            ListParts parts(rows.shape, &rows.space);
            rows.sample_all(parts);
            parts.find(2, {});
            Floats decoded(rows.shape.code_dims);
            Bytes signs(scan_code_bytes(rows.shape.code_dims));
            for (uint32_t i = 0; i < 100; ++i) {
                const Bytes before = rows.codes[i];
                const uint32_t part = i % 2;
                const Floats centroid = centroid_of(parts, part, rows.shape.code_dims);
                const EncodedEntry moved = parts.move(pointer_of(i), before.data(), part);
                EXPECT_EQ(moved.pointer, pointer_of(i));
                EXPECT_TRUE(std::equal(before.begin(), before.end(), moved.refine));
                ASSERT_TRUE(
                    decode_refine(refine, before.data(), rows.shape.code_dims, decoded.data()));
                const ScanFactors factors =
                    encode_scan_code(rows.space, decoded.data(), centroid.data(), signs.data());
                EXPECT_EQ(moved.factors.base, factors.base);
                EXPECT_EQ(moved.factors.scale, factors.scale);
                EXPECT_EQ(moved.factors.error, factors.error);
                EXPECT_TRUE(std::equal(signs.begin(), signs.end(), moved.code));
            }
        }
    }
}

double true_key(Metric metric, const Floats& a, const Floats& b) {
    const double product = exact_dot(a.data(), b.data(), a.size());
    if (metric == Metric::kInnerProduct) return -product;
    if (metric == Metric::kL2) return exact_l2_squared(a.data(), b.data(), a.size());
    return 2 - 2 * product /
                   std::sqrt(exact_dot(a.data(), a.data(), a.size()) *
                             exact_dot(b.data(), b.data(), b.size()));
}

/// Bounds of one block of entries of one list.
struct Block {
    explicit Block(uint32_t code_dims) : code_dims(code_dims), codes(code_dims * 4) {}
    void set(size_t lane, const EncodedEntry& entry) {
        base[lane] = entry.factors.base;
        scale[lane] = entry.factors.scale;
        error[lane] = entry.factors.error;
        set_code(codes.data(), lane, entry.code, code_dims / kDimsPerGroup);
    }
    uint32_t score(const ScanQuery& query, const float* centroid, float limit) {
        return scan_block(query.table(), codes.data(), query.group_count(), {base, scale, error},
                          query.terms(centroid), limit, bounds);
    }

    uint32_t code_dims;
    Bytes codes;
    float base[kBlockEntries] = {};
    float scale[kBlockEntries] = {};
    float error[kBlockEntries] = {};
    float bounds[kBlockEntries];
};

/// Which share of bounds hold.
struct Held {
    double fresh;
    double moved;
};

Held held_bounds(Rows& rows, ListParts& parts) {
    const uint32_t code_dims = rows.shape.code_dims;
    EntryEncoder encoder(rows.shape, &rows.space, 0);
    Block fresh(code_dims);
    Block moved(code_dims);
    uint32_t pairs = 0;
    uint32_t fresh_held = 0;
    uint32_t moved_held = 0;
    for (uint32_t first = 0; first < rows.raw.size(); first += kBlockEntries) {
        const uint32_t part = parts.part_of(rows.codes[first].data());
        const Floats centroid = centroid_of(parts, part, code_dims);
        for (uint32_t lane = 0; lane < kBlockEntries; ++lane) {
            const uint32_t row = first + lane;
            moved.set(lane, parts.move(pointer_of(row), rows.codes[row].data(), part));
            fresh.set(lane, encoder.encode({rows.vectors[row].data(), 0, nullptr}, centroid.data(),
                                           pointer_of(row)));
        }
        for (uint32_t q = 0; q < 8; ++q) {
            const Floats raw = rows.around(rows.centers[q % rows.centers.size()], 0.6f);
            const SpaceQuery space_query = rows.space.query(raw.data());
            const ScanQuery query(space_query);
            fresh.score(query, centroid.data(), 0);
            moved.score(query, centroid.data(), 0);
            for (uint32_t lane = 0; lane < kBlockEntries; ++lane) {
                const double key = true_key(rows.shape.metric, rows.raw[first + lane], raw);
                ++pairs;
                fresh_held += fresh.bounds[lane] <= key;
                moved_held += moved.bounds[lane] <= key;
            }
        }
    }
    return {static_cast<double>(fresh_held) / pairs, static_cast<double>(moved_held) / pairs};
}

TEST(ListParts, BoundsOfMovedEntriesHoldAsThoseOfFreshOnes) {
    for (const Metric metric : kRealMetrics) {
        for (const Refine refine : kCodes) {
            for (const uint32_t dims : {64u, 200u, 784u}) {
                SCOPED_TRACE(testing::Message()
                             << int(metric) << " " << int(refine) << " " << dims);
                Rows rows(metric, dims, refine, 4);
                rows.add(32 * 40);
                ListParts parts(rows.shape, &rows.space);
                rows.sample_all(parts);
                parts.find(4, {});
                const Held held = held_bounds(rows, parts);
                EXPECT_GT(held.fresh, 0.96);
                EXPECT_NEAR(held.moved, held.fresh, 0.003);
            }
        }
    }
}

// What a list's summary says of its radius must hold for the rows, not for what codes make of them.
// Vectors on one axis, where what is lost lies on the line to the centroid.
TEST(ListParts, RadiiOfMovedEntriesReachTheRows) {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<float> length(0.5f, 2);
    for (const Refine refine : kCodes) {
        const IndexShape shape = shape_of(Metric::kL2, 128, refine);
        const IndexSpace space(Metric::kL2, 128, 42, {});
        EntryEncoder encoder(shape, &space, 0);
        Bytes code(refine_bytes(refine, shape.code_dims));
        Floats vector(shape.code_dims);
        Floats centroid(shape.code_dims);
        Floats room(shape.code_dims);
        for (int round = 0; round < 5000; ++round) {
            vector[3] = length(random);
            centroid[3] = vector[3];
            const float towards = round % 2 == 0 ? 4.0f : -4.0f;
            for (int step = 0; step < round % 7; ++step)
                centroid[3] = std::nextafter(centroid[3], towards);
            encode_refine(refine, vector.data(), shape.code_dims, 0, code.data());
            const EncodedEntry moved =
                encoder.encode_again(code.data(), room.data(), centroid.data(), pointer_of(1));
            ASSERT_GE(moved.radius, std::fabs(vector[3] - centroid[3])) << int(refine);
            EXPECT_LE(moved.radius, std::fabs(vector[3] - centroid[3]) + vector[3] / 50);
        }
    }
}

// Their codes tell nothing, so nobody knows where they are.
TEST(ListParts, VectorsTooLongForFloatsAreAlwaysLookedAt) {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
        for (const Refine refine : kCodes) {
            Rows rows(metric, 70, refine, 2);
            rows.add(30);
            rows.add(Floats(70, 3e38f));
            rows.add(Floats(70, -1e30f));
            ListParts parts(rows.shape, &rows.space);
            rows.sample_all(parts);
            parts.find(2, {});
            for (uint32_t part = 0; part < parts.count(); ++part) {
                const Floats centroid = centroid_of(parts, part, rows.shape.code_dims);
                Block block(rows.shape.code_dims);
                for (uint32_t row = 0; row < 32; ++row) {
                    EXPECT_LT(parts.part_of(rows.codes[row].data()), parts.count());
                    const EncodedEntry moved =
                        parts.move(pointer_of(row), rows.codes[row].data(), part);
                    block.set(row, moved);
                    EXPECT_EQ(std::isinf(moved.radius), row >= 30);
                    EXPECT_TRUE(
                        std::equal(rows.codes[row].begin(), rows.codes[row].end(), moved.refine));
                }
                const SpaceQuery space_query = rows.space.query(rows.raw[0].data());
                const ScanQuery query(space_query);
                on_each_target([&] {
                    constexpr float kNothing = -std::numeric_limits<float>::infinity();
                    EXPECT_EQ(block.score(query, centroid.data(), kNothing), 0xc0000000u);
                });
            }
        }
    }
}

/// What a scan of the lists of all parts gives out.
std::vector<FoundEntry> search_parts(Rows& rows, ListParts& parts, const float* raw_query,
                                     double epsilon) {
    PageStore store;
    StoredLists lists(store, rows.shape.levels[0], 0);
    const BlockScorer scorer(rows.space, raw_query, epsilon);
    LevelScan scan(
        rows.shape.levels[0], scorer, rows.shape.refine,
        {.level = 0, .exhaustive = false, .window_capacity = 16, .max_window_capacity = 64});
    for (uint32_t part = 0; part < parts.count(); ++part) {
        lists.begin();
        for (uint32_t row = 0; row < rows.raw.size(); ++row)
            if (parts.part_of(rows.codes[row].data()) == part)
                lists.add(parts.move(pointer_of(row), rows.codes[row].data(), part));
        const Floats centroid = centroid_of(parts, part, rows.shape.code_dims);
        scan.open_list(lists.finish(), scorer.terms(centroid.data()));
    }
    PageFeeder feeder(store);
    std::vector<FoundEntry> found;
    for (;;) {
        switch (scan.need()) {
            case LevelScan::Need::kList:
                feeder.push_list(scan, scan.list_to_read());
                break;
            case LevelScan::Need::kEntry:
                feeder.push_entry(scan, scan.entry_to_read());
                break;
            case LevelScan::Need::kDistance:
                ADD_FAILURE() << "nobody measures";
                return found;
            case LevelScan::Need::kNothing:
                found.push_back(scan.pop());
                break;
            case LevelScan::Need::kMore:
                return found;
        }
        if (testing::Test::HasFatalFailure()) return found;
    }
}

TEST(ListParts, AScanFindsTheRowsOfPartedLists) {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
        for (const Refine refine : kCodes) {
            SCOPED_TRACE(testing::Message() << int(metric) << " " << int(refine));
            Rows rows(metric, 40, refine, 6);
            rows.add(900);
            rows.add(Floats(40, 3e38f));
            rows.add(Floats(40, -1e30f));
            ListParts parts(rows.shape, &rows.space);
            rows.sample_all(parts);
            parts.find(6, {});
            ASSERT_EQ(parts.count(), 6u);
            const Floats query = rows.raw[5];
            const auto found = search_parts(rows, parts, query.data(), kFullRecallEpsilon);
            ASSERT_EQ(found.size(), 902u);
            std::set<uint32_t> seen;
            float key = -std::numeric_limits<float>::infinity();
            for (const FoundEntry& entry : found) {
                const uint32_t row = MemoryIndex::row_of(entry.pointer);
                EXPECT_TRUE(seen.insert(row).second);
                EXPECT_GE(entry.key, key);
                key = entry.key;
                if (row >= 900) continue;
                const double truth = true_key(metric, rows.raw[row], query);
                EXPECT_LE(entry.key, truth);
                EXPECT_NEAR(entry.key, truth, 0.2 * std::abs(truth) + 2);
            }
            // Of rows that might be anywhere the bound is below all others.
            EXPECT_GE(MemoryIndex::row_of(found[0].pointer) >= 900 ||
                          MemoryIndex::row_of(found[0].pointer) == 5,
                      true);
        }
    }
}

TEST(ListParts, BitsAreTheirOwnCodes) {
    const IndexShape shape = shape_of(Metric::kHamming, 70, Refine::kInt8);
    std::mt19937_64 random(3);
    std::vector<Bytes> centers(2, Bytes(9));
    for (Bytes& center : centers) {
        for (uint8_t& byte : center)
            byte = static_cast<uint8_t>(random());
        center[8] &= 0xfc;
    }
    std::vector<Bytes> rows;
    for (uint32_t i = 0; i < 200; ++i) {
        rows.push_back(centers[i % 2]);
        rows.back()[random() % 8] ^= static_cast<uint8_t>(1u << random() % 8);
    }
    ListParts parts(shape, nullptr);
    for (const Bytes& row : rows)
        parts.add_to_sample(row.data());
    parts.end_list();
    parts.find(2, {});
    ASSERT_EQ(parts.count(), 2u);
    for (uint32_t i = 0; i < 200; ++i) {
        const uint32_t part = parts.part_of(rows[i].data());
        EXPECT_EQ(part, parts.part_of(centers[i % 2].data()));
        const EncodedEntry moved = parts.move(pointer_of(i), rows[i].data(), part);
        EXPECT_EQ(moved.pointer, pointer_of(i));
        Bytes padded = rows[i];
        padded.resize(16);
        EXPECT_TRUE(std::equal(padded.begin(), padded.end(), moved.code));
        const EncodedEntry root = parts.root_entry(part, entry_pointer(7, 1));
        EXPECT_TRUE(std::equal(centers[i % 2].begin(), centers[i % 2].end(), root.code));
    }
    EXPECT_NE(parts.part_of(centers[0].data()), parts.part_of(centers[1].data()));
}

// Noise has no clusters, so where k-means ends depends on where it starts.
TEST(ListParts, SeveralListsStartFromHalvesAndMeans) {
    const uint32_t dims = 128;
    Rows rows(Metric::kL2, dims, Refine::kFloat, 1);
    rows.add(600, 1);
    ListParts parts(rows.shape, &rows.space);
    Floats all;
    Floats start;
    for (uint32_t list = 0; list < 3; ++list) {
        Floats of_list;
        for (uint32_t i = list * 200; i < list * 200 + 200; ++i) {
            parts.add_to_sample(rows.codes[i].data());
            of_list.insert(of_list.end(), rows.vectors[i].begin(), rows.vectors[i].end());
        }
        parts.end_list();
        const Clusters own = find_clusters(of_list, dims, {.count = list == 0 ? 2u : 1u}, {});
        start.insert(start.end(), own.centroids.begin(), own.centroids.end());
        all.insert(all.end(), of_list.begin(), of_list.end());
    }
    parts.find(4, {});
    ASSERT_EQ(parts.count(), 4u);
    const Clusters expected = find_clusters(all, dims, {.count = 4, .start = start}, {});
    const Clusters other = find_clusters(all, dims, {.count = 4}, {});
    EXPECT_NE(expected.centroids, other.centroids);
    for (uint32_t part = 0; part < 4; ++part) {
        const Floats centroid = centroid_of(parts, part, dims);
        EXPECT_TRUE(
            std::equal(centroid.begin(), centroid.end(), expected.centroids.begin() + part * dims));
    }
}

/// A row code, aligned as floats are.
struct RowCode {
    explicit RowCode(uint32_t code_dims) : floats(row_code_bytes(code_dims) / sizeof(float)) {}
    uint8_t* bytes() { return reinterpret_cast<uint8_t*>(floats.data()); }
    Floats floats;
};

/// Rows that were fetched, and rows of which there was no more than their scan code.
struct FetchedRows {
    explicit FetchedRows(const Rows& rows)
        : parts(rows.shape, &rows.space), encoder(rows.shape, &rows.space, 0) {
        const uint32_t code_dims = rows.shape.code_dims;
        for (const Floats& vector : rows.vectors) {
            fetched.emplace_back(code_dims);
            row_code_header(fetched.back().bytes()) = {.rounding = 1e-6f, .besides = 0};
            std::ranges::copy(vector, row_code_vector(fetched.back().bytes()));
            parts.add_to_sample(fetched.back().bytes());
        }
        parts.end_list();
        parts.find(4, {});
        // Of the list that they were in.
        const Floats old_centroid(code_dims, 0.01f);
        Bytes signs(scan_code_bytes(code_dims));
        for (const Floats& vector : rows.vectors) {
            const ScanFactors factors =
                encode_scan_code(rows.space, vector.data(), old_centroid.data(), signs.data());
            lost.emplace_back(code_dims);
            const double left_out =
                decode_scan_code(rows.space, factors, signs.data(), old_centroid.data(),
                                 row_code_vector(lost.back().bytes()));
            row_code_header(lost.back().bytes()) = {.rounding = 0, .besides = round_up(left_out)};
        }
    }
    ListParts parts;
    EntryEncoder encoder;
    std::vector<RowCode> fetched;
    std::vector<RowCode> lost;
};

TEST(ListParts, AFetchedRowBecomesWhatAnInsertMakesOfIt) {
    for (const Metric metric : kRealMetrics) {
        Rows rows(metric, 50, Refine::kInt8, 4);
        rows.add(200);
        rows.shape = shape_of(metric, 50, Refine::kNone);
        FetchedRows given(rows);
        ASSERT_EQ(given.parts.count(), 4u);
        for (uint32_t i = 0; i < 200; ++i) {
            const uint32_t part = given.parts.part_of(given.fetched[i].bytes());
            const Floats centroid = centroid_of(given.parts, part, rows.shape.code_dims);
            const EncodedEntry moved =
                given.parts.move(pointer_of(i), given.fetched[i].bytes(), part);
            const EncodedEntry fresh =
                given.encoder.encode({rows.vectors[i].data(),
                                      row_code_header(given.fetched[i].bytes()).rounding, nullptr},
                                     centroid.data(), pointer_of(i));
            EXPECT_EQ(moved.pointer, fresh.pointer);
            EXPECT_EQ(moved.factors.base, fresh.factors.base);
            EXPECT_EQ(moved.factors.scale, fresh.factors.scale);
            EXPECT_EQ(moved.factors.error, fresh.factors.error);
            EXPECT_EQ(moved.radius, fresh.radius);
            EXPECT_TRUE(std::equal(moved.code, moved.code + rows.shape.code_dims / 8, fresh.code));
        }
    }
}

// Nobody sees them but a snapshot that is older than all others: a scan code of a scan code is
// crude.
TEST(ListParts, EstimatesOfRowsThatAreGoneAreRough) {
    for (const Metric metric : kRealMetrics) {
        for (const uint32_t dims : {64u, 200u, 784u}) {
            SCOPED_TRACE(testing::Message() << int(metric) << " " << dims);
            Rows rows(metric, dims, Refine::kInt8, 4);
            rows.add(32 * 20);
            rows.shape = shape_of(metric, dims, Refine::kNone);
            FetchedRows given(rows);
            const uint32_t code_dims = rows.shape.code_dims;
            const Floats old_centroid(code_dims, 0.01f);
            double bias = 0;
            double squares = 0;
            uint32_t pairs = 0;
            for (uint32_t first = 0; first < rows.raw.size(); first += kBlockEntries) {
                const uint32_t part = given.parts.part_of(given.lost[first].bytes());
                const Floats centroid = centroid_of(given.parts, part, code_dims);
                Block block(code_dims);
                for (uint32_t lane = 0; lane < kBlockEntries; ++lane) {
                    const uint32_t row = first + lane;
                    const EncodedEntry moved =
                        given.parts.move(pointer_of(row), given.lost[row].bytes(), part);
                    block.set(lane, moved);
                    const double away = std::sqrt(
                        exact_l2_squared(rows.vectors[row].data(), centroid.data(), code_dims));
                    EXPECT_GE(moved.radius, away * (1 - 1e-4));
                }
                for (uint32_t q = 0; q < 8; ++q) {
                    const Floats raw = rows.around(rows.centers[q % rows.centers.size()], 0.6f);
                    const SpaceQuery space_query = rows.space.query(raw.data());
                    const ScanQuery query(space_query, 0);
                    block.score(query, centroid.data(), 0);
                    const double away = std::sqrt(
                        exact_l2_squared(space_query.vector.get(), old_centroid.data(), code_dims));
                    for (uint32_t lane = 0; lane < kBlockEntries; ++lane) {
                        const double length = std::sqrt(exact_l2_squared(
                            rows.vectors[first + lane].data(), old_centroid.data(), code_dims));
                        const double error =
                            (block.bounds[lane] - true_key(metric, rows.raw[first + lane], raw)) /
                            (away * length);
                        ++pairs;
                        bias += error;
                        squares += error * error;
                    }
                }
            }
            EXPECT_NEAR(bias / pairs, 0, 0.5);
            EXPECT_LT(std::sqrt(squares / pairs), 0.6);
        }
    }
}

TEST(ListParts, EqualRowsAreOnePart) {
    Rows rows(Metric::kL2, 20, Refine::kInt8, 1);
    for (int i = 0; i < 100; ++i)
        rows.add(Floats(20, 0.7f));
    ListParts parts(rows.shape, &rows.space);
    rows.sample_all(parts);
    parts.find(2, {});
    EXPECT_EQ(parts.count(), 1u);
}

TEST(ListParts, WithoutRowsOnePartTakesWhatComes) {
    for (const Metric metric : {Metric::kL2, Metric::kHamming}) {
        const Rows rows(Metric::kL2, 50, Refine::kInt8, 1);
        const IndexShape shape = shape_of(metric, 50, Refine::kInt8);
        ListParts parts(shape, is_binary(metric) ? nullptr : &rows.space);
        parts.end_list();
        parts.end_list();
        parts.find(1, {});
        ASSERT_EQ(parts.count(), 1u);
        EXPECT_EQ(parts.root_entry(0, entry_pointer(9, 1)).pointer, entry_pointer(9, 1));
        const Bytes code(refine_bytes(Refine::kInt8, shape.code_dims));
        EXPECT_EQ(parts.part_of(code.data()), 0u);
        EXPECT_EQ(parts.move(pointer_of(3), code.data(), 0).pointer, pointer_of(3));
    }
}

TEST(ListParts, ASampleHasSomeRowsOfEachPartAndABudget) {
    const IndexSpace narrow(Metric::kL2, 128, 42, {});
    const ListParts few(shape_of(Metric::kL2, 128, Refine::kInt8), &narrow);
    EXPECT_EQ(few.sample_rows(2), 512u);
    EXPECT_EQ(few.sample_rows(70), 40'000'000u / (128 * 70));  // for the time
    EXPECT_EQ(few.sample_rows(1000), 16u * 1000);
    EXPECT_EQ(few.sample_rows(100000), 200000u);
    // For the room: bits as they are, and 1,024 floats of each.
    const ListParts wide(shape_of(Metric::kHamming, 64000, Refine::kNone), nullptr);
    EXPECT_EQ(wide.sample_rows(70), 16u * 70);
    EXPECT_EQ(wide.sample_rows(100), 16u * 1024 * 1024 / (8000 + 4 * 1024));
}

// A row with this share of its bits changed.
Bytes with_changes(Bytes row, double share, std::mt19937& random) {
    std::bernoulli_distribution changes(share);
    for (uint32_t i = 0; i < 8 * row.size(); ++i)
        if (changes(random)) row[i / 8] ^= static_cast<uint8_t>(0x80 >> i % 8);
    return row;
}

uint32_t different_bits(const uint8_t* a, const Bytes& b) {
    uint32_t different = 0;
    for (size_t i = 0; i < b.size(); ++i)
        different += static_cast<uint32_t>(std::popcount(static_cast<uint8_t>(a[i] ^ b[i])));
    return different;
}

// Two groups that differ in a tenth of 20,000 bits, of which 1,024 are learned from.
TEST(ListParts, WideBitsAreLearnedFromSomeOfThem) {
    constexpr uint32_t kBits = 20000;
    std::mt19937 random(5);
    const Bytes first = with_changes(Bytes(kBits / 8), 0.5, random);
    const Bytes second = with_changes(first, 0.1, random);
    ListParts parts(shape_of(Metric::kHamming, kBits, Refine::kNone), nullptr);
    for (int i = 0; i < 100; ++i)
        parts.add_to_sample(with_changes(i % 3 == 0 ? second : first, 0.05, random).data());
    parts.end_list();
    parts.find(2, {});
    ASSERT_EQ(parts.count(), 2u);
    for (int i = 0; i < 50; ++i)
        parts.assign(with_changes(i % 2 == 0 ? second : first, 0.05, random).data());
    const uint32_t of_second = parts.part_of(second.data());
    EXPECT_NE(of_second, parts.part_of(first.data()));
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(parts.assigned()[i], i % 2 == 0 ? of_second : 1 - of_second) << i;
    // The middle of a group, of all bits: a twentieth of the bits differ in each row of it.
    for (const Bytes* group : {&first, &second}) {
        const EncodedEntry entry =
            parts.root_entry(parts.part_of(group->data()), entry_pointer(9, 1));
        EXPECT_LT(different_bits(entry.code, *group), kBits / 100);
    }
}

// Of many parts some bits tell which few are compared as a whole: nearly always the nearest is one.
TEST(ListParts, WideBitsGoToTheNearestOfManyParts) {
    constexpr uint32_t kBits = 20000;
    constexpr uint32_t kGroups = 24;
    std::mt19937 random(7);
    const Bytes base = with_changes(Bytes(kBits / 8), 0.5, random);
    std::vector<Bytes> groups;
    for (uint32_t i = 0; i < kGroups; ++i)
        groups.push_back(with_changes(base, 0.05, random));
    ListParts parts(shape_of(Metric::kHamming, kBits, Refine::kNone), nullptr);
    for (uint32_t i = 0; i < 20 * kGroups; ++i)
        parts.add_to_sample(with_changes(groups[i % kGroups], 0.2, random).data());
    parts.end_list();
    parts.find(kGroups, {});
    std::vector<Bytes> centroids;
    for (uint32_t part = 0; part < parts.count(); ++part) {
        const uint8_t* code = parts.root_entry(part, entry_pointer(9, 1)).code;
        centroids.emplace_back(code, code + kBits / 8);
    }
    ASSERT_GT(centroids.size(), kGroups / 2);
    uint32_t nearest = 0;
    constexpr uint32_t kRows = 200;
    for (uint32_t i = 0; i < kRows; ++i) {
        const Bytes row = with_changes(groups[i % kGroups], 0.2, random);
        const uint32_t own = different_bits(row.data(), centroids[parts.part_of(row.data())]);
        nearest += std::ranges::all_of(centroids, [&](const Bytes& centroid) {
            return own <= different_bits(row.data(), centroid);
        });
    }
    EXPECT_GT(nearest, kRows * 95 / 100);
}

// All that differ are 64 of 8,000 bits: those are drawn.
TEST(ListParts, WideBitsAreLearnedFromThoseThatVary) {
    constexpr uint32_t kBits = 8000;
    std::mt19937_64 random(6);
    ListParts parts(shape_of(Metric::kHamming, kBits, Refine::kNone), nullptr);
    Bytes row(kBits / 8);
    for (int i = 0; i < 1000; ++i) {
        const uint64_t end = random();
        std::memcpy(row.data() + row.size() - sizeof end, &end, sizeof end);
        parts.add_to_sample(row.data());
        if (i % 200 == 199) parts.end_list();
    }
    parts.find(6, {});
    EXPECT_EQ(parts.count(), 6u);
    std::vector<int> sizes(6);
    for (int i = 0; i < 600; ++i) {
        const uint64_t end = random();
        std::memcpy(row.data() + row.size() - sizeof end, &end, sizeof end);
        ++sizes[parts.part_of(row.data())];
    }
    for (const int size : sizes)
        EXPECT_GT(size, 30);
}

TEST(ListParts, WideBitsMayAllBeEqual) {
    ListParts parts(shape_of(Metric::kHamming, 8000, Refine::kNone), nullptr);
    const Bytes row(1000, 0x5a);
    for (int i = 0; i < 10; ++i)
        parts.add_to_sample(row.data());
    parts.end_list();
    parts.find(2, {});
    EXPECT_EQ(parts.count(), 1u);
    EXPECT_EQ(parts.part_of(row.data()), 0u);
}

// Whatever is assigned together with it.
TEST(ListParts, AnEntryIsAssignedToItsPart) {
    for (const float size : {1.0f, 1e12f}) {
        for (const uint32_t dims : {3u, 300u}) {
            Rows rows(Metric::kL2, dims, Refine::kFloat, 5);
            rows.add(201);
            std::vector<Floats> large = rows.raw;
            Rows scaled(Metric::kL2, dims, Refine::kFloat, 1);
            for (Floats& row : large) {
                for (float& element : row)
                    element *= size;
                scaled.add(row);
            }
            ListParts parts(scaled.shape, &scaled.space);
            scaled.sample_all(parts);
            parts.find(5, {});
            ASSERT_EQ(parts.count(), 5u);
            for (const Bytes& code : scaled.codes)
                parts.assign(code.data());
            const std::vector<uint32_t> assigned(parts.assigned().begin(), parts.assigned().end());
            ASSERT_EQ(assigned.size(), scaled.codes.size());
            std::set<uint32_t> used;
            for (size_t i = 0; i < assigned.size(); ++i) {
                EXPECT_EQ(assigned[i], parts.part_of(scaled.codes[i].data())) << size << " " << i;
                used.insert(assigned[i]);
            }
            EXPECT_EQ(used.size(), 5u);
            EXPECT_EQ(parts.assigned().size(), assigned.size());
        }
    }
}

TEST(ListParts, RowsAreKnownByTheirCodes) {
    for (const Refine refine : kCodes)
        EXPECT_TRUE(can_part_lists(shape_of(Metric::kL2, 20, refine)));
    EXPECT_FALSE(can_part_lists(shape_of(Metric::kL2, 20, Refine::kNone)));
    EXPECT_TRUE(can_part_lists(shape_of(Metric::kHamming, 70, Refine::kNone)));
}

TEST(ListParts, AnswersACancelRequest) {
    Rows rows(Metric::kL2, 128, Refine::kInt8, 4);
    rows.add(2000);
    ListParts parts(rows.shape, &rows.space);
    rows.sample_all(parts);
    EXPECT_THROW(parts.find(20, [] { throw std::runtime_error("stop"); }), std::runtime_error);
}

}  // namespace
}  // namespace lookalike
