#include "core/votes/words.h"

#include "each_target.h"
#include "vote_index.h"

namespace lookalike {
namespace {

using Lists = std::vector<uint32_t>;

class Root {
  public:
    explicit Root(const std::vector<Word>& words, uint32_t version = 0)
        : first_(write_words(store, words)) {
        read_words(store, first_, version, &known);
    }

    uint32_t first() const { return first_; }
    Lists nearest(const Code& code, size_t wanted) {
        Lists lists;
        known.nearest(code.data(), wanted, &lists);
        return lists;
    }

    PageStore store;
    Words known;

  private:
    uint32_t first_;
};

// The lists of the `wanted` nearest, in the order of the root.
Lists nearest_lists(const std::vector<Word>& words, const Code& code, size_t wanted) {
    std::vector<std::pair<uint32_t, size_t>> order;  // bits, place
    for (size_t i = 0; i < words.size(); ++i)
        order.emplace_back(differing_bits(code, words[i].code), i);
    std::sort(order.begin(), order.end());
    order.resize(std::min(wanted, order.size()));
    std::sort(order.begin(), order.end(),
              [](const auto& a, const auto& b) { return a.second < b.second; });
    Lists lists;
    for (const auto& [bits, place] : order)
        lists.push_back(words[place].list);
    return lists;
}

std::vector<Word> random_words(size_t count, std::mt19937& random) {
    std::vector<Word> words;
    for (size_t i = 0; i < count; ++i)
        words.push_back({.list = static_cast<uint32_t>(1000 + 3 * i), .code = random_code(random)});
    return words;
}

TEST(Words, TheNearestAreFoundOnSeveralPages) {
    std::mt19937 random(1);
    // Words that are equal, and so many that they take more than one page.
    std::vector<Word> words = random_words(code_geometry(1).max_entries * 2 + 5, random);
    for (size_t i = 0; i < words.size(); i += 4)
        words[i].code = words[i / 8].code;
    on_each_target([&] {
        Root root(words);
        ASSERT_EQ(root.known.count(), words.size());
        std::mt19937 own(2);
        for (int i = 0; i < 50; ++i) {
            const Code code = i % 2 == 0
                                  ? random_code(own)
                                  : changed_code(words[own() % words.size()].code, own() % 20, i);
            for (const size_t wanted : {1, 2, 3, 8, 100, 100000})
                EXPECT_EQ(root.nearest(code, wanted), nearest_lists(words, code, wanted)) << wanted;
            EXPECT_EQ(root.known.nearest(code.data()), nearest_lists(words, code, 1).front());
        }
    });
}

TEST(Words, OfEquallyNearOnesTheFirst) {
    const Code zero{};
    const std::vector<Word> words = {{.list = 70, .code = changed_code(zero, 9)},
                                     {.list = 60, .code = changed_code(zero, 5, 40)},
                                     {.list = 90, .code = changed_code(zero, 5, 3)},
                                     {.list = 80, .code = changed_code(zero, 5, 100)},
                                     {.list = 50, .code = changed_code(zero, 2)}};
    Root root(words);
    EXPECT_EQ(root.known.nearest(zero.data()), 50u);
    EXPECT_EQ(root.nearest(zero, 1), Lists({50}));
    EXPECT_EQ(root.nearest(zero, 2), Lists({60, 50}));
    EXPECT_EQ(root.nearest(zero, 3), Lists({60, 90, 50}));
    EXPECT_EQ(root.nearest(zero, 4), Lists({60, 90, 80, 50}));
    Root of_ties({words[1], words[2], words[3]});
    EXPECT_EQ(of_ties.known.nearest(zero.data()), 60u);
}

TEST(Words, MoreThanThereAreGivesAll) {
    std::mt19937 random(3);
    const std::vector<Word> words = random_words(5, random);
    Root root(words);
    const Lists all = {1000, 1003, 1006, 1009, 1012};
    for (const size_t wanted : {5, 6, 8, 1000}) {
        EXPECT_EQ(root.nearest(random_code(random), wanted), all);
        // Also where all bits of all differ.
        Root far({{.list = 7, .code = changed_code(Code{}, kLocalCodeBits)},
                  {.list = 6, .code = changed_code(Code{}, kLocalCodeBits)}});
        EXPECT_EQ(far.nearest(Code{}, wanted), Lists({7, 6}));
    }
    EXPECT_EQ(root.nearest(words[0].code, 0), Lists());
    // What was there stays.
    Lists lists = {1, 2};
    root.known.nearest(words[2].code.data(), 1, &lists);
    EXPECT_EQ(lists, Lists({1, 2, 1006}));
}

TEST(Words, OnlyThoseOfTheTreeAtItsVersion) {
    const Code zero{};
    const std::vector<Word> words = {
        {.list = 10, .code = zero, .life = {.born = 0, .retired = 3}},
        {.list = 20, .code = changed_code(zero, 1), .life = {.born = 3, .retired = kInTree}},
        {.list = 30, .code = changed_code(zero, 2), .life = {.born = 3, .retired = 5}},
        {.list = 40, .code = changed_code(zero, 3), .life = {.born = 0, .retired = kInTree}},
    };
    const Lists of_versions[] = {{10, 40},     {10, 40},     {10, 40},
                                 {20, 30, 40}, {20, 30, 40}, {20, 40}};
    for (uint32_t version = 0; version < 6; ++version) {
        Root root(words, version);
        EXPECT_EQ(root.nearest(zero, 8), of_versions[version]) << version;
        EXPECT_EQ(root.known.nearest(zero.data()), of_versions[version].front()) << version;
    }
}

TEST(Words, WhatWasTakenOutOfTheRootIsGone) {
    std::mt19937 random(4);
    const std::vector<Word> words = random_words(40, random);
    Root root(words);
    clear_entry(code_geometry(1), root.store.page(root.first()), 0);
    clear_entry(code_geometry(1), root.store.page(root.first()), 33);
    Words left;
    read_words(root.store, root.first(), 0, &left);
    EXPECT_EQ(left.count(), 38u);
    for (const size_t gone : {0, 33}) {
        Lists lists;
        left.nearest(words[gone].code.data(), 38, &lists);
        EXPECT_EQ(std::count(lists.begin(), lists.end(), words[gone].list), 0);
    }
}

TEST(Words, OneListIsNearestToAll) {
    Words words;
    EXPECT_EQ(words.count(), 0u);
    words.add_only_list(17);
    EXPECT_EQ(words.count(), 1u);
    std::mt19937 random(5);
    for (const size_t wanted : {1, 8}) {
        const Code code = random_code(random);
        Lists lists;
        EXPECT_EQ(words.nearest(code.data()), 17u);
        words.nearest(code.data(), wanted, &lists);
        EXPECT_EQ(lists, Lists({17}));
    }
}

}  // namespace
}  // namespace lookalike
