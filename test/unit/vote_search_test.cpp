#include "core/votes/vote_search.h"

#include <cmath>
#include <map>

#include "each_target.h"
#include "vote_index.h"

namespace lookalike {
namespace {

// A feature of a row, and where it is kept.
struct Feature {
    EntryPointer row;
    Code code;
    uint32_t list = 0;  // which of the words
    uint32_t key = 0;   // of the filter attribute
};

AttributeWidths one_width() {
    AttributeWidths widths;
    widths.count = 1;
    widths.width[0] = 4;
    return widths;
}

AttributeKeys one_key(uint32_t key) {
    AttributeKeys keys{};
    keys.widths = one_width();
    keys.keys[0] = key;
    return keys;
}

EntryFilter filter_of_key(uint32_t key) {
    return EntryFilter({{0, false, {{key, key}}}});
}

// Lists of features; without words there is one.
class VoteIndex {
  public:
    VoteIndex(const std::vector<Feature>& features, const std::vector<Code>& words)
        : features_(features), words_(words) {
        StoredLists leaf(store, leaf_geometry, 0);
        const size_t count = std::max<size_t>(words.size(), 1);
        std::vector<Word> entries;
        for (uint32_t list = 0; list < count; ++list) {
            leaf.begin();
            for (const Feature& feature : features_)
                if (feature.list == list) add(leaf, feature);
            lists.push_back(leaf.finish());
            if (!words.empty()) entries.push_back({.list = lists.back(), .code = words[list]});
        }
        if (!words.empty()) root_ = write_words(store, entries);
    }

    Words known_words() {
        Words words;
        root_ == kNoBlock ? words.add_only_list(lists[0]) : read_words(store, root_, 0, &words);
        return words;
    }

    // Numbers of the features of lists that are near a code.
    std::vector<bool> lists_near(const Code& code, size_t wanted) const {
        std::vector<std::pair<uint32_t, size_t>> order;
        for (size_t i = 0; i < words_.size(); ++i)
            order.emplace_back(differing_bits(code, words_[i]), i);
        std::sort(order.begin(), order.end());
        std::vector<bool> near(lists.size(), words_.empty());
        for (size_t i = 0; i < std::min(wanted, order.size()); ++i)
            near[order[i].second] = true;
        return near;
    }

    // What VACUUM does to the first entry of the row in that list.
    void remove(size_t number) {
        const Feature gone = features_[number];
        StoredLists leaf(store, leaf_geometry, 0);
        ASSERT_TRUE(leaf.remove(lists[gone.list], gone.row));
        features_.erase(
            std::find_if(features_.begin(), features_.end(), [&](const Feature& feature) {
                return feature.list == gone.list && feature.row == gone.row;
            }));
    }

    const std::vector<Feature>& features() const { return features_; }

    const ListGeometry leaf_geometry = code_geometry(0, one_width());
    PageStore store;
    std::vector<uint32_t> lists;

  private:
    static void add(StoredLists& leaf, const Feature& feature) {
        const AttributeKeys keys = one_key(feature.key);
        leaf.add({.pointer = feature.row,
                  .factors = {},
                  .code = feature.code.data(),
                  .refine = nullptr,
                  .attributes = &keys});
    }

    std::vector<Feature> features_;
    std::vector<Code> words_;
    uint32_t root_ = kNoBlock;
};

struct Question {
    std::vector<Code> codes;
    uint32_t lists_per_feature = 1;
    size_t memory_bytes = size_t{64} << 20;
    const EntryFilter* filter = nullptr;
    uint32_t page_seed = 0;  // 0: pages come in their order

    std::vector<uint8_t> bytes() const {
        std::vector<uint8_t> all;
        for (const Code& code : codes)
            all.insert(all.end(), code.begin(), code.end());
        return all;
    }
};

// A search whose votes are counted.
class Voting {
  public:
    Voting(VoteIndex& index, const Question& question)
        : votes(question.bytes(), index.leaf_geometry, question.filter,
                {question.lists_per_feature, question.memory_bytes}) {
        Words words = index.known_words();
        votes.choose_lists(&words, [] {});
        read(index, question);
    }

    void read(VoteIndex& index, const Question& question) {
        std::vector<std::pair<size_t, uint32_t>> pages;
        for (size_t i = 0; i < votes.list_count(); ++i) {
            const uint32_t first = votes.list(i);
            if (i > 0) {
                EXPECT_LT(votes.list(i - 1), first) << "in their order, once";
            }
            if (votes.skip_list(index.store.page(first))) continue;
            for (uint32_t block = first; block != kNoBlock;
                 block = page_trailer(index.store.page(block))->next)
                pages.emplace_back(i, block);
        }
        if (question.page_seed > 0) {
            std::mt19937 random(question.page_seed);
            std::shuffle(pages.begin(), pages.end(), random);
        }
        for (const auto& [number, block] : pages)
            votes.push_page(number, index.store.page(block));
        votes.count_votes();
    }

    std::vector<VotedRow> next(size_t count) {
        const std::span<const VotedRow> rows = votes.next_rows(count);
        return {rows.begin(), rows.end()};
    }
    std::vector<VotedRow> all() { return next(~size_t{0}); }

    VoteSearch votes;
};

std::vector<VotedRow> answer(VoteIndex& index, const Question& question) {
    Voting search(index, question);
    return search.all();
}

std::vector<uint64_t> rows_of(const std::vector<VotedRow>& answer) {
    std::vector<uint64_t> rows;
    for (const VotedRow& row : answer)
        rows.push_back(row.row);
    return rows;
}

void expect_same(const std::vector<VotedRow>& a, const std::vector<VotedRow>& b) {
    ASSERT_EQ(rows_of(a), rows_of(b));
    for (size_t i = 0; i < a.size(); ++i)
        EXPECT_EQ(a[i].votes, b[i].votes) << i;
}

// So many entries of a feature there is memory for.
size_t kept_of_feature(const Question& question) {
    const size_t fit = question.memory_bytes / 48 / std::max<size_t>(question.codes.size(), 1);
    return std::max<size_t>(fit, 32);
}

double worth_of(uint32_t bits) {
    const double share = bits / 11.3;
    return std::exp(-share * share);
}

// The rule, one feature after the other: of the entries in its nearest lists those that are alike,
// of these the 32 nearest and all that are as near as the last of them (if memory is too small,
// those that lie first), of a row the nearest; each is worth what its bits tell, and less where
// there are many.
std::map<uint64_t, double> expected_votes(const VoteIndex& index, const Question& question) {
    std::map<uint64_t, double> votes;
    for (const Code& code : question.codes) {
        const std::vector<bool> near = index.lists_near(code, question.lists_per_feature);
        std::vector<std::pair<uint32_t, uint64_t>> hits;
        for (const Feature& feature : index.features()) {
            const uint32_t bits = differing_bits(code, feature.code);
            if (!near[feature.list] || bits > kAlikeBits) continue;
            if (question.filter != nullptr &&
                question.filter->filters()[0].ranges[0].low != feature.key)
                continue;
            hits.emplace_back(bits, row_number(feature.row));
        }
        std::sort(hits.begin(), hits.end());
        if (hits.size() > kVoters) {
            const uint32_t last = hits[kVoters - 1].first;
            while (hits.back().first > last)
                hits.pop_back();
        }
        hits.resize(std::min(hits.size(), kept_of_feature(question)));
        std::map<uint64_t, double> worth;
        double all = 0.1;
        for (const auto& [bits, row] : hits)
            if (worth.emplace(row, worth_of(bits)).second) all += worth[row];
        for (const auto& [row, weight] : worth)
            votes[row] += weight / std::sqrt(all);
    }
    return votes;
}

void expect_as_the_rule_says(VoteIndex& index, const Question& question) {
    const std::map<uint64_t, double> expected = expected_votes(index, question);
    const std::vector<VotedRow> rows = answer(index, question);
    ASSERT_EQ(rows.size(), expected.size());
    for (size_t i = 0; i < rows.size(); ++i) {
        const auto found = expected.find(rows[i].row);
        ASSERT_NE(found, expected.end()) << rows[i].row;
        EXPECT_NEAR(rows[i].votes, found->second, 1e-5 * found->second);
        if (i == 0) continue;
        EXPECT_GE(rows[i - 1].votes, rows[i].votes);
        if (rows[i - 1].votes == rows[i].votes) {
            EXPECT_LT(rows[i - 1].row, rows[i].row);
        }
    }
}

// Rows with features near some codes, so that many are alike, in the lists of their nearest words.
struct Crowd {
    Crowd(size_t row_count, size_t features_of_row, size_t kinds, size_t word_count,
          uint32_t most_bits, uint32_t seed = 1)
        : random(seed) {
        for (size_t i = 0; i < kinds; ++i)
            codes.push_back(random_code(random));
        for (size_t i = 0; i < word_count; ++i)
            words.push_back(random_code(random));
        for (uint32_t row = 0; row < row_count; ++row)
            for (size_t i = 0; i < features_of_row; ++i)
                features.push_back(near(codes[random() % kinds], most_bits, row));
        // Not as they lie in the table.
        std::shuffle(features.begin(), features.end(), random);
    }

    Code like(const Code& code, uint32_t most_bits) {
        const uint32_t bits = static_cast<uint32_t>(random() >> 8) % (most_bits + 1);
        return changed_code(code, bits, random() % kLocalCodeBits);
    }
    Feature near(const Code& code, uint32_t most_bits, uint32_t row) {
        Feature feature{.row = entry_pointer(row / 7, static_cast<uint16_t>(row % 7 + 1)),
                        .code = like(code, most_bits),
                        .key = row % 3};
        uint32_t least = ~uint32_t{0};
        for (uint32_t i = 0; i < words.size(); ++i) {
            const uint32_t bits = differing_bits(feature.code, words[i]);
            if (bits < least) feature.list = i;
            least = std::min(least, bits);
        }
        return feature;
    }
    std::vector<Code> query(size_t count, uint32_t most_bits) {
        std::vector<Code> query;
        for (size_t i = 0; i < count; ++i)
            query.push_back(like(codes[random() % codes.size()], most_bits));
        return query;
    }

    std::mt19937 random;
    std::vector<Code> codes;
    std::vector<Code> words;
    std::vector<Feature> features;
};

EntryPointer row_at(uint32_t block, uint16_t offset = 1) {
    return entry_pointer(block, offset);
}

TEST(VoteSearch, PlacesHaveNumbersInTheirOrder) {
    const EntryPointer places[] = {row_at(0, 1),       row_at(0, 2),          row_at(0, 0xffff),
                                   row_at(1, 1),       row_at(0xffff, 0xfff), row_at(0x10000, 1),
                                   row_at(0x7fffffff), row_at(0xfffffffe, 2)};
    for (const EntryPointer& place : places)
        EXPECT_EQ(row_place(row_number(place)), place);
    for (size_t i = 1; i < std::size(places); ++i)
        EXPECT_LT(row_number(places[i - 1]), row_number(places[i]));
}

TEST(VoteSearch, TheRowWithTheMostAlikeFeaturesComesFirst) {
    std::mt19937 random(1);
    std::vector<Code> query;
    for (int i = 0; i < 40; ++i)
        query.push_back(random_code(random));
    // Row r has r of the query's features, and others.
    std::vector<Feature> features;
    for (uint32_t row = 1; row <= 20; ++row)
        for (uint32_t i = 0; i < 40; ++i)
            features.push_back(
                {.row = row_at(100 - row),
                 .code = i < row ? changed_code(query[i], 3, 5 * row) : random_code(random)});
    VoteIndex index(features, {});
    const std::vector<VotedRow> rows = answer(index, {.codes = query});
    ASSERT_EQ(rows.size(), 20u);
    for (uint32_t i = 0; i < 20; ++i)
        EXPECT_EQ(rows[i].row, row_number(row_at(80 + i))) << i;
}

TEST(VoteSearch, CountsAsTheRuleSays) {
    // Of each feature fewer entries than are kept, then more, up to all in memory that is too
    // small.
    const struct {
        size_t rows, features, kinds, words;
    } sizes[] = {
        {60, 30, 200, 0}, {60, 30, 200, 12}, {500, 8, 3, 0}, {700, 8, 3, 5}, {90, 40, 9, 4}};
    for (const auto& size : sizes) {
        SCOPED_TRACE(testing::Message() << size.rows << " " << size.kinds << " " << size.words);
        Crowd crowd(size.rows, size.features, size.kinds, size.words, 14);
        VoteIndex index(crowd.features, crowd.words);
        for (const size_t memory : {0, 100000, 1 << 20, 64 << 20})
            for (const uint32_t lists : {1, 2, 8})
                expect_as_the_rule_says(index, {.codes = crowd.query(30, 14),
                                                .lists_per_feature = lists,
                                                .memory_bytes = memory});
    }
}

TEST(VoteSearch, EachInstructionSetCountsTheSame) {
    Crowd crowd(300, 20, 10, 6, 16);
    VoteIndex index(crowd.features, crowd.words);
    const Question question{
        .codes = crowd.query(20, 10), .lists_per_feature = 2, .memory_bytes = 0};
    const std::vector<VotedRow> expected = answer(index, question);
    on_each_target([&] { expect_same(answer(index, question), expected); });
}

TEST(VoteSearch, TheOrderOfThePagesDoesNotMatter) {
    Crowd crowd(1500, 8, 3, 6, 20);
    VoteIndex index(crowd.features, crowd.words);
    ASSERT_GT(index.store.page_count(), 40u);
    for (const size_t memory : {0, 64 << 20}) {
        Question question{
            .codes = crowd.query(20, 10), .lists_per_feature = 3, .memory_bytes = memory};
        const std::vector<VotedRow> expected = answer(index, question);
        EXPECT_GT(expected.size(), 30u);
        for (uint32_t seed = 1; seed < 6; ++seed) {
            question.page_seed = seed;
            expect_same(answer(index, question), expected);
        }
    }
}

TEST(VoteSearch, TheNearestAreKeptWhereverTheyCome) {
    const Code code = changed_code(Code{}, 60);
    for (const size_t at : {0u, 31u, 32u, 500u, 1999u}) {
        std::vector<Feature> features;
        for (uint32_t i = 0; i < 2000; ++i)
            features.push_back({.row = row_at(i), .code = changed_code(code, 10, i)});
        features[at].code = changed_code(code, 9, 70);
        VoteIndex index(features, {});
        const std::vector<VotedRow> rows = answer(index, {.codes = {code}, .memory_bytes = 0});
        // Of the others, those that lie first.
        ASSERT_EQ(rows.size(), 32u);
        EXPECT_EQ(rows[0].row, row_number(row_at(static_cast<uint32_t>(at))));
        for (uint32_t i = 1; i < 32; ++i)
            EXPECT_EQ(rows[i].row, row_number(row_at(i - 1 + (i - 1 >= at)))) << at << " " << i;
        EXPECT_EQ(answer(index, {.codes = {code}}).size(), 2000u);
    }
}

TEST(VoteSearch, FeaturesShareTheMemory) {
    const Code code{};
    std::vector<Feature> features;
    for (uint32_t i = 0; i < 1000; ++i)
        features.push_back({.row = row_at(i), .code = code});
    VoteIndex index(features, {});
    for (const size_t count : {1, 10, 100}) {
        const Question question{.codes = std::vector<Code>(count, code), .memory_bytes = 48 * 4000};
        EXPECT_EQ(answer(index, question).size(), std::min<size_t>(1000, kept_of_feature(question)))
            << count;
    }
}

TEST(VoteSearch, CopiesHideWhatIsLessAlikeUntilTheNextRound) {
    std::mt19937 random(4);
    std::vector<Code> query;
    for (int i = 0; i < 20; ++i)
        query.push_back(random_code(random));
    std::vector<Feature> features;
    for (uint32_t row = 0; row < 90; ++row)
        for (const Code& code : query)
            features.push_back(
                {.row = row_at(row), .code = row < 50 ? code : changed_code(code, 5)});
    VoteIndex index(features, {});
    const Question question{.codes = query};
    Voting search(index, question);
    std::vector<uint64_t> rows = rows_of(search.all());
    EXPECT_EQ(rows.size(), 50u);
    EXPECT_TRUE(search.votes.has_left_out());
    std::sort(rows.begin(), rows.end());
    search.votes.start_again_without(rows);
    search.read(index, question);
    const std::vector<uint64_t> others = rows_of(search.all());
    ASSERT_EQ(others.size(), 40u);
    EXPECT_EQ(others.front(), row_number(row_at(50)));
    rows.insert(rows.end(), others.begin(), others.end());
    search.votes.start_again_without(rows);
    search.read(index, question);
    EXPECT_TRUE(search.all().empty());
    EXPECT_FALSE(search.votes.has_left_out());
}

TEST(VoteSearch, SomeAreLeftOutWhereManyAreAlike) {
    for (const uint32_t count : {kVoters - 1, 2 * kVoters}) {
        std::vector<Feature> features;
        for (uint32_t i = 0; i < count; ++i)
            features.push_back({.row = row_at(i), .code = Code{}});
        VoteIndex index(features, {});
        EXPECT_EQ(Voting(index, {.codes = {Code{}}}).votes.has_left_out(), count > kVoters);
    }
}

TEST(VoteSearch, ACancelEndsTheChoiceOfLists) {
    Crowd crowd(10, 5, 5, 3, 10);
    VoteIndex index(crowd.features, crowd.words);
    const Question question{.codes = crowd.query(3, 10)};
    VoteSearch votes(question.bytes(), index.leaf_geometry, nullptr, {1, 0});
    Words words = index.known_words();
    EXPECT_THROW(votes.choose_lists(&words, [] { throw std::runtime_error("cancelled"); }),
                 std::runtime_error);
}

TEST(VoteSearch, AlikeIsUpToSoManyBits) {
    const Code code = changed_code(Code{}, 50);
    VoteIndex index({{.row = row_at(3), .code = changed_code(code, kAlikeBits, 9)},
                     {.row = row_at(2), .code = changed_code(code, kAlikeBits + 1, 9)},
                     {.row = row_at(1), .code = changed_code(code, kLocalCodeBits)}},
                    {});
    const std::vector<VotedRow> rows = answer(index, {.codes = {code}});
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].row, row_number(row_at(3)));
    EXPECT_GT(rows[0].votes, 0);
}

TEST(VoteSearch, WhatFewRowsHaveTellsMore) {
    std::mt19937 random(2);
    const Code rare = random_code(random), common = random_code(random);
    std::vector<Feature> features = {{.row = row_at(50), .code = rare}};
    for (uint32_t row = 0; row < 40; ++row)
        features.push_back({.row = row_at(row), .code = common});
    VoteIndex index(features, {});
    const std::vector<VotedRow> rows = answer(index, {.codes = {common, rare}});
    ASSERT_EQ(rows.size(), 41u);
    EXPECT_EQ(rows[0].row, row_number(row_at(50)));
    EXPECT_GT(rows[0].votes, 5 * rows[1].votes);
}

TEST(VoteSearch, EqualRowsComeAsTheyLie) {
    std::mt19937 random(3);
    const std::vector<Code> query = {random_code(random), random_code(random)};
    const EntryPointer places[] = {row_at(0x20000, 5), row_at(9, 300),    row_at(9, 4),
                                   row_at(0x10000, 1), row_at(0xffff, 9), row_at(10, 1)};
    std::vector<Feature> features;
    std::vector<uint64_t> expected;
    for (const EntryPointer& place : places) {
        for (const Code& code : query)
            features.push_back({.row = place, .code = code});
        expected.push_back(row_number(place));
    }
    std::sort(expected.begin(), expected.end());
    VoteIndex index(features, {});
    EXPECT_EQ(rows_of(answer(index, {.codes = query})), expected);
}

TEST(VoteSearch, AFeatureThatARowHasTwiceCountsOnce) {
    const Code code = changed_code(Code{}, 40);
    const Feature other{.row = row_at(8), .code = changed_code(code, 7)};
    const Feature near{.row = row_at(5), .code = changed_code(code, 4, 60)};
    const Feature farther{.row = row_at(5), .code = changed_code(code, 12, 60)};
    VoteIndex once({near, other}, {});
    const std::vector<VotedRow> expected = answer(once, {.codes = {code}});
    ASSERT_EQ(expected.size(), 2u);
    for (const std::vector<Feature>& features : std::vector<std::vector<Feature>>{
             {near, other, near}, {farther, other, near}, {near, farther, farther, other}}) {
        VoteIndex twice(features, {});
        expect_same(answer(twice, {.codes = {code}}), expected);
    }
    // Two features of the query count twice.
    const std::vector<VotedRow> asked_twice = answer(once, {.codes = {code, code}});
    ASSERT_EQ(asked_twice.size(), 2u);
    EXPECT_FLOAT_EQ(asked_twice[0].votes, 2 * expected[0].votes);
}

TEST(VoteSearch, AFilterLeavesItsEntries) {
    Crowd crowd(400, 10, 5, 4, 12);
    VoteIndex index(crowd.features, crowd.words);
    for (const uint32_t key : {0, 1, 2}) {
        const EntryFilter filter = filter_of_key(key);
        for (const size_t memory : {0, 64 << 20})
            expect_as_the_rule_says(index, {.codes = crowd.query(20, 12),
                                            .lists_per_feature = 2,
                                            .memory_bytes = memory,
                                            .filter = &filter});
    }
    const EntryFilter nothing = filter_of_key(77);
    Voting search(index, {.codes = crowd.query(20, 12), .filter = &nothing});
    EXPECT_TRUE(search.all().empty());
    EXPECT_EQ(search.votes.counters().lists_skipped, search.votes.list_count());
    EXPECT_EQ(search.votes.counters().entries_scanned, 0u);
}

TEST(VoteSearch, CountsWhatItHasSeen) {
    std::vector<Feature> features;
    for (uint32_t i = 0; i < 90; ++i)
        features.push_back({.row = row_at(i),
                            .code = changed_code(Code{}, i < 60 ? 0 : kAlikeBits + 1),
                            .key = i % 2});
    VoteIndex index(features, {});
    const EntryFilter filter = filter_of_key(1);
    const Voting all(index, {.codes = {Code{}}});
    EXPECT_EQ(all.votes.counters().entries_scanned, 90u);
    EXPECT_EQ(all.votes.counters().entries_passed, 90u);
    EXPECT_EQ(all.votes.counters().entries_alike, 60u);
    const Voting half(index, {.codes = {Code{}}, .filter = &filter});
    EXPECT_EQ(half.votes.counters().entries_scanned, 90u);
    EXPECT_EQ(half.votes.counters().entries_passed, 45u);
    EXPECT_EQ(half.votes.counters().entries_alike, 30u);
    EXPECT_EQ(half.votes.counters().lists_skipped, 0u);
}

TEST(VoteSearch, DeadEntriesDoNotVote) {
    Crowd crowd(100, 10, 5, 3, 10);
    VoteIndex index(crowd.features, crowd.words);
    for (size_t number = 0; number < index.features().size(); number += 2)
        index.remove(number);
    expect_as_the_rule_says(index, {.codes = crowd.query(20, 10), .lists_per_feature = 2});
    while (!index.features().empty())
        index.remove(index.features().size() - 1);
    EXPECT_TRUE(answer(index, {.codes = crowd.query(20, 10), .lists_per_feature = 3}).empty());
}

TEST(VoteSearch, WithoutFeaturesNothingIsRead) {
    Crowd crowd(10, 5, 5, 3, 10);
    VoteIndex index(crowd.features, crowd.words);
    Voting search(index, {.codes = {}});
    EXPECT_EQ(search.votes.list_count(), 0u);
    EXPECT_TRUE(search.next(64).empty());
    VoteIndex empty({}, {});
    Voting of_empty(empty, {.codes = crowd.query(10, 5)});
    EXPECT_EQ(of_empty.votes.list_count(), 1u);
    EXPECT_TRUE(of_empty.next(64).empty());
}

TEST(VoteSearch, RowsComeInPartsAsAtOnce) {
    Crowd crowd(500, 5, 20, 0, 14);
    VoteIndex index(crowd.features, crowd.words);
    const Question question{.codes = crowd.query(30, 14)};
    const std::vector<VotedRow> expected = answer(index, question);
    ASSERT_GT(expected.size(), 200u);
    for (const size_t part : {1, 7, 64, 100000}) {
        Voting search(index, question);
        std::vector<VotedRow> rows;
        for (std::vector<VotedRow> next = search.next(part); !next.empty();
             next = search.next(part)) {
            EXPECT_LE(next.size(), part);
            rows.insert(rows.end(), next.begin(), next.end());
        }
        expect_same(rows, expected);
        EXPECT_TRUE(search.next(1).empty());
    }
}

}  // namespace
}  // namespace lookalike
