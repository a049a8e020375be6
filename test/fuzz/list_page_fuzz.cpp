// Hostile list pages. The first bytes choose the geometry, the rest is the page. What
// list_page_fault() lets pass is read in every way that a search reads it; each page and each slot
// is an allocation of its own, so that the address sanitizer sees a byte too far.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "core/page/list_page.h"
#include "core/search/level_scan.h"

using namespace lookalike;

namespace {

using Bytes = std::unique_ptr<uint8_t[]>;

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

struct Subject {
    ListGeometry geometry;
    std::unique_ptr<IndexSpace> space;
    std::unique_ptr<BlockScorer> scorer;
    Refine refine;
    uint32_t level;
};

Subject make_subject(Metric metric, uint32_t dims, Refine refine, uint32_t level,
                     const AttributeWidths& attributes = {}) {
    Subject subject{
        .geometry = {}, .space = nullptr, .scorer = nullptr, .refine = refine, .level = level};
    if (is_binary(metric)) {
        subject.geometry = list_geometry(metric, dims, refine, level, attributes);
        const std::vector<uint8_t> query(element_bytes(Kind::kBit, dims), 0x55);
        subject.scorer = std::make_unique<BlockScorer>(metric, dims, query.data());
        return subject;
    }
    subject.space = std::make_unique<IndexSpace>(metric, dims, 42, std::span<const float>());
    subject.geometry =
        list_geometry(metric, subject.space->padded_dims(), refine, level, attributes);
    std::vector<float> query(dims);
    for (uint32_t i = 0; i < dims; ++i)
        query[i] = static_cast<float>(i % 7) - 3;
    subject.scorer = std::make_unique<BlockScorer>(*subject.space, query.data(), 1.9);
    return subject;
}

const std::vector<Subject>& subjects() {
    static const std::vector<Subject> all = [] {
        std::vector<Subject> made;
        made.push_back(make_subject(Metric::kL2, 20, Refine::kInt8, 0));
        made.push_back(make_subject(Metric::kInnerProduct, 20, Refine::kHalf, 0));
        made.push_back(make_subject(Metric::kCosine, 20, Refine::kFloat, 1));
        made.push_back(make_subject(Metric::kL2, 2000, Refine::kInt8, 0));
        made.push_back(make_subject(Metric::kL2, 200, Refine::kNone, 0));
        made.push_back(make_subject(Metric::kHamming, 70, Refine::kNone, 0));
        made.push_back(make_subject(Metric::kJaccard, 9000, Refine::kNone, 0));
        made.push_back(make_subject(Metric::kHamming, 70, Refine::kNone, 1));
        made.push_back(
            make_subject(Metric::kL2, 20, Refine::kInt8, 0, {.count = 3, .width = {8, 4, 8}}));
        return made;
    }();
    return all;
}

void read_view(const ListGeometry& geometry, const uint8_t* page) {
    const ListPageView view(geometry, page);
    const uint32_t entries = view.entry_places();
    require(entries <= geometry.max_entries, "entries fit the geometry");
    require(view.live_count() <= entries, "no more entries live than there are");
    const std::optional<uint32_t> free = view.free_index();
    require(!free || *free < geometry.max_entries, "a free place lies on the page");
    uint32_t live = 0;
    for (uint32_t i = 0; i < entries; ++i) {
        live += view.is_live(i);
        require(view.pointer(i) == view.pointer(i), "pointers can be read");
    }
    require(live == view.live_count(), "counts agree");
    require(insert_place(page).position == view.header().insert_position &&
                whole_until(page) == view.header().whole_until,
            "a first page has numbers of its list");
}

// Each attribute's column, one entry at a time and as a filter reads it.
void read_keys(const ListGeometry& geometry, const uint8_t* page, const EntryFilter& filter,
               uint32_t version, bool is_inner) {
    const ListPageView view(geometry, page);
    for (uint32_t block = 0; block < view.header().block_count; ++block) {
        const uint32_t live = view.live(block);
        const uint32_t passing = filter.passing(view, block, live);
        require((passing & ~live) == 0, "what passes is in use");
        for (uint32_t lane = 0; lane < kBlockEntries; ++lane) {
            if (!(live >> lane & 1)) continue;
            const AttributeKeys keys = read_attributes(view, block * kBlockEntries + lane);
            require(keys.widths.count == geometry.attributes.count, "every attribute is read");
            const bool has_versions = (keys.nulls & 3) == 0;
            require(
                !is_inner || (passing >> lane & 1) == (has_versions && is_in_tree(keys, version)),
                "a version has the lists that are in its tree");
        }
    }
}

void change_key(const ListGeometry& geometry, uint8_t* page, uint64_t key) {
    const ListPageView view(geometry, page);
    const uint32_t live = view.live_count();
    for (uint32_t i = 0; i < geometry.attributes.count && view.entry_places() > 0; ++i) {
        set_attribute(geometry, page, view.entry_places() - 1, i, key);
        const AttributeKeys keys = read_attributes(view, view.entry_places() - 1);
        const uint64_t mask = geometry.attributes.width[i] == 4 ? 0xffffffff : ~uint64_t{0};
        require(keys.keys[i] == (key & mask) && !(keys.nulls >> i & 1), "a key can be changed");
    }
    require(view.live_count() == live, "a key is not an entry");
}

// As the reader does, with the page's own bytes for whatever lies on other pages.
void scan_page(const Subject& subject, const uint8_t* page, bool exhaustive,
               const EntryFilter* filter) {
    const ListGeometry& geometry = subject.geometry;
    LevelScan scan(geometry, *subject.scorer, subject.refine,
                   {.level = subject.level,
                    .exhaustive = exhaustive,
                    .window_capacity = 16,
                    .max_window_capacity = 64,
                    .filter = filter});
    scan.open_list(5, subject.scorer->root_terms());
    const ListPageView view(geometry, page);
    const Bytes codes(new uint8_t[geometry.block_code_bytes]());
    const Bytes slot(new uint8_t[geometry.slot_bytes + 1]);
    uint64_t given = 0;
    for (;;) {
        switch (scan.need()) {
            case LevelScan::Need::kList:
                if (scan.skip_list(page)) break;
                scan.begin_page(page, 5);
                for (uint32_t i = 0; i < view.header().block_count; ++i) {
                    const uint8_t* own = geometry.codes_inside ? view.codes(i) : codes.get();
                    scan.push_block(view, i, own);
                }
                scan.finish_list();
                break;
            case LevelScan::Need::kEntry: {
                const EntryPlace place = scan.entry_to_read();
                require(place.index < geometry.max_entries, "an entry lies on its page");
                EntryPlace following;
                scan.following_entry(3, &following);
                if (geometry.slot_bytes == 0) {
                    scan.push_pointer(view.pointer(place.index));
                    break;
                }
                require(place.slot_offset < kBodyBytes, "a slot starts in its page");
                for (uint32_t i = 0; i < geometry.slot_bytes; ++i)
                    slot[i] = page[(place.slot_offset + i) % kPageBytes];
                place.slot_pages.empty() ? scan.drop_entry() : scan.push_slot(slot.get());
                break;
            }
            case LevelScan::Need::kDistance:
                scan.drop_measured();
                break;
            case LevelScan::Need::kNothing:
                require(!std::isnan(scan.top().key), "keys can be ordered");
                scan.pop();
                require(++given <= geometry.max_entries, "no entry comes twice");
                break;
            case LevelScan::Need::kMore:
                return;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 4) return 0;
    const Subject& subject = subjects()[data[0] % subjects().size()];
    const bool raw_trailer = data[1] % 8 == 0;
    const bool exhaustive = data[1] & 64;
    const uint16_t block_count = static_cast<uint16_t>(data[2] | data[3] << 8);
    data += 4;
    size -= 4;
    const Bytes page(new uint8_t[kPageBytes]());
    init_page(page.get(), PageKind::kList, 5, kNoBlock);
    // A short input fills the page again and again: bytes that matter lie anywhere in it.
    const size_t end = raw_trailer ? kPageBytes : kPageHeaderBytes + kBodyBytes;
    for (size_t i = kPageHeaderBytes; i < end && size > 0; ++i)
        page[i] = data[(i - kPageHeaderBytes) % size];
    auto* header = reinterpret_cast<ListHeader*>(page_body(page.get()));
    header->block_count = block_count < 256 ? block_count % 48 : block_count;
    if (list_page_fault(subject.geometry, page.get()) != nullptr) return 0;
    read_view(subject.geometry, page.get());
    const uint32_t version = page_trailer(page.get())->next % 2 == 0 ? block_count : kInTree - 1;
    const bool has_filter = subject.geometry.attributes.count > 0;
    const EntryFilter filter =
        subject.level > 0 ? filter_of_version(version) : EntryFilter({{1, true, {{0, version}}}});
    if (has_filter) read_keys(subject.geometry, page.get(), filter, version, subject.level > 0);
    scan_page(subject, page.get(), exhaustive && subject.geometry.slot_bytes > 0,
              has_filter ? &filter : nullptr);
    change_key(subject.geometry, page.get(), uint64_t{version} << 20);
    return 0;
}
