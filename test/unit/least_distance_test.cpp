#include "core/local/least_distance.h"

#include <gtest/gtest.h>

#include "each_target.h"
#include "guarded.h"
#include "local_set.h"

namespace lookalike {
namespace {

struct Places {
    std::vector<uint16_t> distances, x, y;
};

Places random_places(uint32_t count, uint32_t side, std::mt19937& random) {
    Places places;
    for (uint32_t i = 0; i < count; ++i) {
        places.distances.push_back(static_cast<uint16_t>(random()));
        places.x.push_back(static_cast<uint16_t>(random() % side));
        places.y.push_back(static_cast<uint16_t>(random() % side));
    }
    return places;
}

bool is_found(const Places& places, const Elsewhere& wanted) {
    const Guarded<uint16_t> distances(places.distances), x(places.x), y(places.y);
    return is_any_elsewhere(distances.data(), {x.data(), y.data()},
                            static_cast<uint32_t>(places.x.size()), wanted);
}

/// UINT16_MAX + 1 where there is none.
uint32_t least_elsewhere(const Places& places, uint32_t index, uint16_t reach) {
    uint32_t least = UINT16_MAX + 1;
    for (size_t i = 0; i < places.x.size(); ++i) {
        const int across = std::abs(places.x[i] - places.x[index]);
        const int down = std::abs(places.y[i] - places.y[index]);
        if (std::max(across, down) > reach) least = std::min<uint32_t>(least, places.distances[i]);
    }
    return least;
}

/// That one of the least distance is found, and none of less.
void expect_least(const Places& places, uint32_t index, uint16_t reach, uint32_t least) {
    for (const uint32_t most : {0u, least - 1, least, least + 1, uint32_t{UINT16_MAX}}) {
        if (most > UINT16_MAX) continue;
        ASSERT_EQ(is_found(places, {index, reach, static_cast<uint16_t>(most)}), most >= least)
            << places.x.size() << ", reach " << reach << ", most " << most;
    }
}

TEST(LeastDistance, AgreesWithAPlainLoopForAllCounts) {
    std::mt19937 random(1);
    on_each_target([&] {
        for (const uint32_t count : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65, 150, 601}) {
            for (const uint32_t side : {2000u, 5000u, kPlaceParts}) {
                const Places places = random_places(count, side, random);
                for (const uint16_t reach : {0, 1, 1638, 40000, 65535}) {
                    const uint32_t index = random() % count;
                    expect_least(places, index, reach, least_elsewhere(places, index, reach));
                }
            }
        }
    });
}

TEST(LeastDistance, AloneThereIsNone) {
    on_each_target([] { EXPECT_FALSE(is_found({{5}, {100}, {100}}, {0, 10, UINT16_MAX})); });
}

TEST(LeastDistance, ThoseAtTheReachAreNear) {
    on_each_target([] {
        for (const size_t count : {2, 40}) {
            Places places{std::vector<uint16_t>(count, 1), std::vector<uint16_t>(count, 1000),
                          std::vector<uint16_t>(count, 1000)};
            for (const int step : {-1, 1}) {
                for (std::vector<uint16_t>* axis : {&places.x, &places.y}) {
                    axis->back() = static_cast<uint16_t>(1000 + step * 10);
                    EXPECT_FALSE(is_found(places, {0, 10, UINT16_MAX}));
                    axis->back() = static_cast<uint16_t>(1000 + step * 11);
                    expect_least(places, 0, 10, 1);
                    axis->back() = 1000;
                }
            }
        }
    });
}

TEST(LeastDistance, TheEndsOfThePictureAreFarApart) {
    on_each_target([] {
        for (const size_t count : {2, 40}) {
            Places places{std::vector<uint16_t>(count, 7), std::vector<uint16_t>(count, 0),
                          std::vector<uint16_t>(count, 0)};
            places.x.back() = 65535;
            expect_least(places, 0, 65534, 7);
            expect_least(places, static_cast<uint32_t>(count - 1), 65534, 7);
            EXPECT_FALSE(is_found(places, {0, 65535, UINT16_MAX}));
        }
    });
}

}  // namespace
}  // namespace lookalike
