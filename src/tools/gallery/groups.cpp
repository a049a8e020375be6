#include "tools/gallery/groups.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

namespace lookalike {
namespace {

class Forest {
  public:
    size_t number_of(const std::string& name) {
        const auto [place, is_new] = numbers_.try_emplace(name, names_.size());
        if (is_new) {
            names_.push_back(name);
            parents_.push_back(place->second);
        }
        return place->second;
    }

    size_t root_of(size_t number) {
        while (parents_[number] != number)
            number = parents_[number] = parents_[parents_[number]];
        return number;
    }

    void join(size_t a, size_t b) { parents_[root_of(b)] = root_of(a); }

    const std::vector<std::string>& names() const { return names_; }

  private:
    std::unordered_map<std::string, size_t> numbers_;
    std::vector<std::string> names_;
    std::vector<size_t> parents_;
};

}  // namespace

std::vector<Group> groups_of(const std::vector<Pair>& pairs) {
    Forest forest;
    for (const auto& pair : pairs) {
        const size_t a = forest.number_of(pair.a);
        forest.join(a, forest.number_of(pair.b));
    }
    std::map<size_t, Group> by_root;
    for (size_t i = 0; i < forest.names().size(); ++i)
        by_root[forest.root_of(i)].members.push_back(forest.names()[i]);
    for (auto& [root, group] : by_root)
        group.nearest = pairs.empty() ? 0 : pairs.front().distance;
    std::map<size_t, bool> is_seen;
    for (const auto& pair : pairs) {
        const size_t root = forest.root_of(forest.number_of(pair.a));
        Group& group = by_root[root];
        group.nearest = is_seen[root] ? std::min(group.nearest, pair.distance) : pair.distance;
        is_seen[root] = true;
    }
    std::vector<Group> groups;
    for (auto& [root, group] : by_root)
        groups.push_back(std::move(group));
    std::ranges::stable_sort(groups, [](const Group& a, const Group& b) {
        return a.members.size() != b.members.size() ? a.members.size() > b.members.size()
                                                    : a.nearest < b.nearest;
    });
    return groups;
}

}  // namespace lookalike
