// What an index on local features is measured beside, called by test/bench/local_index: FAISS's
// inverted lists of bits in one process, over the same codes, with the same votes and the same
// comparison of the rows with the most votes.
//   local_faiss FOLDER LISTS    reads FOLDER/stored and FOLDER/asked, which local_quality dumps
#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryIVF.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/local/local_code.h"
#include "core/local/local_text.h"
#include "core/local/set_match.h"
#include "core/votes/vote_plan.h"
#include "core/votes/vote_search.h"

namespace lookalike {
namespace {

using Bytes = std::vector<uint8_t>;
using Clock = std::chrono::steady_clock;
using Number = int64_t;  // faiss::Index::idx_t, later faiss::idx_t

double milliseconds(Clock::time_point from) {
    return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

Bytes parse(const std::string& text) {
    const LocalText read = read_local_text_header(text);
    if (read.fault != nullptr) throw std::runtime_error(read.fault);
    Bytes bytes(local_features_bytes(read.header.kind, read.header.count));
    read_local_text(text, read.header, bytes.data());
    return bytes;
}

Bytes codes_of(const Bytes& value) {
    const LocalFeatures features = view_local_features(value.data());
    Bytes codes(features.count() * kLocalCodeBytes);
    local_codes(features, codes.data());
    return codes;
}

struct Asked {
    std::string group;
    long source;  // -1: absent
    Bytes local;
};

struct Pictures {
    std::vector<Bytes> stored;
    std::vector<Asked> asked;
};

std::vector<std::string> columns(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, '\t');)
        fields.push_back(field);
    return fields;
}

Pictures read_pictures(const std::string& folder) {
    Pictures pictures;
    std::ifstream stored(folder + "/stored"), asked(folder + "/asked");
    for (std::string line; std::getline(stored, line);)
        pictures.stored.push_back(parse(columns(line).at(1)));
    for (std::string line; std::getline(asked, line);) {
        const auto fields = columns(line);
        pictures.asked.push_back(
            {fields.at(0), fields.at(1) == "\\N" ? -1 : std::stol(fields[1]), parse(fields.at(5))});
    }
    return pictures;
}

/// All codes, and whose each is.
struct Codes {
    Bytes bytes;
    std::vector<uint32_t> picture;
};

Codes codes_of(const std::vector<Bytes>& stored) {
    Codes codes;
    for (uint32_t i = 0; i < stored.size(); ++i) {
        const Bytes own = codes_of(stored[i]);
        codes.bytes.insert(codes.bytes.end(), own.begin(), own.end());
        codes.picture.insert(codes.picture.end(), own.size() / kLocalCodeBytes, i);
    }
    return codes;
}

/// Pictures, those with the most votes first.
std::vector<uint32_t> vote(const faiss::IndexBinaryIVF& index, const Codes& codes,
                           const Bytes& query) {
    const auto count = static_cast<Number>(query.size() / kLocalCodeBytes);
    std::vector<Number> found(count * kVoters);
    std::vector<int32_t> bits(count * kVoters);
    index.search(count, query.data(), kVoters, bits.data(), found.data());
    std::unordered_map<uint32_t, float> votes, own;
    for (Number feature = 0; feature < count; ++feature) {
        own.clear();
        float sum = kFewRows;
        for (size_t i = feature * kVoters; i < (feature + 1) * size_t{kVoters}; ++i) {
            if (found[i] < 0 || bits[i] > static_cast<int>(kAlikeBits)) continue;
            float& best = own[codes.picture[found[i]]];
            const float weight = vote_weight(static_cast<uint32_t>(bits[i]));
            if (weight <= best) continue;
            sum += weight - best;
            best = weight;
        }
        for (const auto& [picture, weight] : own)
            votes[picture] += weight / std::sqrt(sum);
    }
    std::vector<uint32_t> order;
    for (const auto& entry : votes)
        order.push_back(entry.first);
    std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
        return votes[a] != votes[b] ? votes[a] > votes[b] : a < b;
    });
    return order;
}

/// Compares pictures until so many in a row showed something else, and says which is nearest.
long nearest(const std::vector<Bytes>& stored, const std::vector<uint32_t>& order,
             const Bytes& query) {
    const LocalFeatures asked = view_local_features(query.data());
    long best = -1;
    double least = 1;
    uint32_t in_vain = 0;
    for (const uint32_t picture : order) {
        const double distance =
            match_sets(view_local_features(stored[picture].data()), asked).distance();
        in_vain = distance <= kSameDistance ? 0 : in_vain + 1;
        if (distance < least) {
            least = distance;
            best = picture;
        }
        if (in_vain == vote_effort(0.95, 0).patience) break;
    }
    return best;
}

double part_of(std::vector<double> times, double share) {
    std::ranges::sort(times);
    return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))];
}

void ask(const faiss::IndexBinaryIVF& index, const Codes& codes, const Pictures& pictures) {
    struct Group {
        size_t right = 0;
        std::vector<double> ms;
    };
    std::vector<std::pair<std::string, Group>> groups;
    for (const Asked& asked : pictures.asked) {
        if (groups.empty() || groups.back().first != asked.group)
            groups.push_back({asked.group, {}});
        Group& group = groups.back().second;
        const Clock::time_point start = Clock::now();
        const long first =
            nearest(pictures.stored, vote(index, codes, codes_of(asked.local)), asked.local);
        group.ms.push_back(milliseconds(start));
        group.right += first >= 0 && first == asked.source;
    }
    for (const auto& [name, group] : groups) {
        const double share =
            100.0 * static_cast<double>(group.right) / static_cast<double>(group.ms.size());
        std::printf("%-15s first %5.1f  p50 %6.1f ms  p99 %6.1f ms\n", name.c_str(), share,
                    part_of(group.ms, 0.5), part_of(group.ms, 0.99));
    }
}

void run(const std::string& folder, int lists) {
    const Pictures pictures = read_pictures(folder);
    const Codes codes = codes_of(pictures.stored);
    faiss::IndexBinaryFlat words(kLocalCodeBits);
    faiss::IndexBinaryIVF index(&words, kLocalCodeBits, lists);
    const auto count = static_cast<Number>(codes.picture.size());
    const Clock::time_point start = Clock::now();
    index.train(count, codes.bytes.data());
    index.add(count, codes.bytes.data());
    std::printf("%zu pictures, %zu features, %d lists: built in %.0f ms\n", pictures.stored.size(),
                codes.picture.size(), lists, milliseconds(start));
    index.nprobe = vote_effort(0.95, 0).lists_per_feature;
    omp_set_num_threads(1);
    ask(index, codes, pictures);
}

}  // namespace
}  // namespace lookalike

int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("usage: local_faiss FOLDER LISTS\n", stderr);
        return 2;
    }
    lookalike::run(arguments[1], std::stoi(arguments[2]));
    return 0;
}
