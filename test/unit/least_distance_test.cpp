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

uint16_t found_least(const Places& places, uint32_t index, uint16_t reach) {
    const Guarded<uint16_t> distances(places.distances), x(places.x), y(places.y);
    return least_elsewhere(distances.data(), {x.data(), y.data()},
                           static_cast<uint32_t>(places.x.size()), index, reach);
}

uint16_t right_least(const Places& places, uint32_t index, uint16_t reach) {
    uint16_t least = UINT16_MAX;
    for (size_t i = 0; i < places.x.size(); ++i) {
        const int across = std::abs(places.x[i] - places.x[index]);
        const int down = std::abs(places.y[i] - places.y[index]);
        if (std::max(across, down) > reach) least = std::min(least, places.distances[i]);
    }
    return least;
}

TEST(LeastDistance, AgreesWithAPlainLoopForAllCounts) {
    std::mt19937 random(1);
    on_each_target([&] {
        for (const uint32_t count : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65, 150, 601}) {
            for (const uint32_t side : {2000u, 5000u, kPlaceParts}) {
                const Places places = random_places(count, side, random);
                for (const uint16_t reach : {0, 1, 1638, 40000, 65535}) {
                    const uint32_t index = random() % count;
                    ASSERT_EQ(found_least(places, index, reach), right_least(places, index, reach))
                        << count << " within " << side << ", reach " << reach;
                }
            }
        }
    });
}

TEST(LeastDistance, AloneThereIsNone) {
    on_each_target([] { EXPECT_EQ(found_least({{5}, {100}, {100}}, 0, 10), UINT16_MAX); });
}

TEST(LeastDistance, ThoseAtTheReachAreNear) {
    on_each_target([] {
        for (const size_t count : {2, 40}) {
            Places places{std::vector<uint16_t>(count, 1), std::vector<uint16_t>(count, 1000),
                          std::vector<uint16_t>(count, 1000)};
            for (const int step : {-1, 1}) {
                for (std::vector<uint16_t>* axis : {&places.x, &places.y}) {
                    axis->back() = static_cast<uint16_t>(1000 + step * 10);
                    EXPECT_EQ(found_least(places, 0, 10), UINT16_MAX);
                    axis->back() = static_cast<uint16_t>(1000 + step * 11);
                    EXPECT_EQ(found_least(places, 0, 10), 1);
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
            EXPECT_EQ(found_least(places, 0, 65534), 7);
            EXPECT_EQ(found_least(places, static_cast<uint32_t>(count - 1), 65534), 7);
            EXPECT_EQ(found_least(places, 0, 65535), UINT16_MAX);
        }
    });
}

}  // namespace
}  // namespace lookalike
