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

Subject make_subject(Metric metric, uint32_t dims, Refine refine, uint32_t level) {
    Subject subject{
        .geometry = {}, .space = nullptr, .scorer = nullptr, .refine = refine, .level = level};
    if (is_binary(metric)) {
        subject.geometry = list_geometry(metric, dims, refine, level);
        const std::vector<uint8_t> query(element_bytes(Kind::kBit, dims), 0x55);
        subject.scorer = std::make_unique<BlockScorer>(metric, dims, query.data());
        return subject;
    }
    subject.space = std::make_unique<IndexSpace>(metric, dims, 42, std::span<const float>());
    subject.geometry = list_geometry(metric, subject.space->padded_dims(), refine, level);
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
}

// As the reader does, with the page's own bytes for whatever lies on other pages.
void scan_page(const Subject& subject, const uint8_t* page, bool exhaustive) {
    const ListGeometry& geometry = subject.geometry;
    LevelScan scan(geometry, *subject.scorer, subject.refine,
                   {.level = subject.level,
                    .exhaustive = exhaustive,
                    .window_capacity = 16,
                    .max_window_capacity = 64});
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
    scan_page(subject, page.get(), exhaustive && subject.geometry.slot_bytes > 0);
    return 0;
}
