// What kmeans() is measured by, called by test/bench/clusters:
//   clusters_faiss copy ROWS DIMS              rows around 2,000 centres, as binary COPY
//   clusters_faiss cluster ROWS DIMS K SAMPLE  FAISS's Clustering of the same rows, in one process
#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <omp.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr size_t kCentres = 2000;
constexpr float kSpread = 0.7f;
constexpr int kRounds = 30;  // as kmeans() has

struct Rows {
    std::vector<float> values;
    size_t count;
    size_t dims;
};

Rows make_rows(size_t count, size_t dims) {
    std::mt19937_64 random(11);
    std::normal_distribution<float> normal;
    std::vector<float> centres(kCentres * dims);
    for (float& value : centres)
        value = normal(random);
    Rows rows{std::vector<float>(count * dims), count, dims};
    for (size_t i = 0; i < count; ++i) {
        const float* centre = &centres[random() % kCentres * dims];
        for (size_t d = 0; d < dims; ++d)
            rows.values[i * dims + d] = centre[d] + kSpread * normal(random);
    }
    return rows;
}

template <typename Number>
void put(Number number) {
    for (size_t i = sizeof(number); i-- > 0;)
        std::putchar(static_cast<int>(number >> (8 * i) & 0xff));
}

void print_copy(const Rows& rows) {
    std::fwrite("PGCOPY\n\377\r\n\0", 1, 11, stdout);
    put(uint64_t{0});
    for (size_t i = 0; i < rows.count; ++i) {
        put(uint16_t{1});
        put(static_cast<uint32_t>(4 + 4 * rows.dims));
        put(static_cast<uint16_t>(rows.dims));
        put(uint16_t{0});
        for (size_t d = 0; d < rows.dims; ++d)
            put(std::bit_cast<uint32_t>(rows.values[i * rows.dims + d]));
    }
    put(uint16_t{0xffff});
}

// Of the rows to the means of their clusters, squared.
double mean_distance(const Rows& rows, const std::vector<int64_t>& clusters, size_t k) {
    std::vector<double> means(k * rows.dims);
    std::vector<size_t> counts(k);
    const auto each = [&](auto visit) {
        for (size_t i = 0; i < rows.count; ++i)
            for (size_t d = 0; d < rows.dims; ++d)
                visit(rows.values[i * rows.dims + d],
                      means[static_cast<size_t>(clusters[i]) * rows.dims + d]);
    };
    each([](float value, double& sum) { sum += value; });
    for (const int64_t cluster : clusters)
        ++counts[static_cast<size_t>(cluster)];
    for (size_t i = 0; i < means.size(); ++i)
        means[i] /= static_cast<double>(std::max<size_t>(counts[i / rows.dims], 1));
    double sum = 0;
    each([&](float value, double mean) { sum += (value - mean) * (value - mean); });
    return sum / static_cast<double>(rows.count);
}

void cluster(const Rows& rows, size_t k, size_t sample) {
    faiss::ClusteringParameters parameters;
    parameters.niter = kRounds;
    parameters.max_points_per_centroid = static_cast<int>(sample / k);
    parameters.min_points_per_centroid = 1;
    const auto begin = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    faiss::Clustering clustering(static_cast<int>(rows.dims), static_cast<int>(k), parameters);
    faiss::IndexFlatL2 index(static_cast<int64_t>(rows.dims));
    clustering.train(static_cast<int64_t>(rows.count), rows.values.data(), index);
    const double trained = seconds();
    std::vector<float> distances(rows.count);
    std::vector<int64_t> clusters(rows.count);
    index.search(static_cast<int64_t>(rows.count), rows.values.data(), 1, distances.data(),
                 clusters.data());
    std::cout << "FAISS, " << omp_get_max_threads() << " threads: " << seconds() << " s, of them "
              << trained << " s to learn from " << k * (sample / k)
              << " rows; mean squared distance " << mean_distance(rows, clusters, k) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 3 && words[0] == "copy") {
        print_copy(make_rows(std::stoul(words[1]), std::stoul(words[2])));
    } else if (words.size() == 5 && words[0] == "cluster") {
        cluster(make_rows(std::stoul(words[1]), std::stoul(words[2])), std::stoul(words[3]),
                std::stoul(words[4]));
    } else {
        std::cerr << "clusters_faiss copy ROWS DIMS | cluster ROWS DIMS K SAMPLE\n";
        return 2;
    }
    return 0;
}
