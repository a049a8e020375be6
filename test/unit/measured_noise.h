// What tests of the measuring share: random rows in lists around random centroids.
#pragma once

#include <random>
#include <vector>

#include "core/measure/calibrator.h"

namespace lookalike {

constexpr uint32_t kNoiseDims = 16;

inline std::vector<float> random_vector(std::mt19937& random) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> vector(kNoiseDims);
    for (float& x : vector)
        x = uniform(random);
    return vector;
}

/// The centroid that is nearest to a row.
inline size_t nearest(const std::vector<std::vector<float>>& centroids,
                      const std::vector<float>& row) {
    size_t best = 0;
    double best_distance = 1e30;
    for (size_t i = 0; i < centroids.size(); ++i) {
        double distance = 0;
        for (uint32_t d = 0; d < kNoiseDims; ++d)
            distance += (row[d] - centroids[i][d]) * double{row[d] - centroids[i][d]};
        if (distance < best_distance) best = i, best_distance = distance;
    }
    return best;
}

/// Rows in lists around random centroids, 40 lists of floats that come in `flat`; it must outlive
/// the result.
inline Calibrator observed_noise(std::vector<float>* flat) {
    std::mt19937 random(3);
    std::vector<std::vector<float>> centroids;
    for (int i = 0; i < 40; ++i) {
        centroids.push_back(random_vector(random));
        flat->insert(flat->end(), centroids.back().begin(), centroids.back().end());
    }
    Calibrator calibrator(Metric::kL2, kNoiseDims);
    for (int i = 0; i < 50; ++i)
        calibrator.add_query(random_vector(random).data());
    calibrator.begin_lists(*flat, 40);
    for (int i = 0; i < 50; ++i)
        calibrator.place_query();
    for (int i = 0; i < 4000; ++i) {
        const std::vector<float> row = random_vector(random);
        calibrator.observe(row.data(), static_cast<uint32_t>(nearest(centroids, row)));
    }
    return calibrator;
}

/// The same, measured.
inline Calibration measure_noise() {
    std::vector<float> centroids;
    return observed_noise(&centroids).measure();
}

}  // namespace lookalike
