#include "tools/gallery/byte_cache.h"

namespace lookalike {

// List, map and pointers take about so much beside the texts.
size_t ByteCache::size_of(const Entry& entry) {
    return 2 * entry.key.size() + entry.value->size() + 256;
}

std::shared_ptr<const std::string> ByteCache::find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
}

std::shared_ptr<const std::string> ByteCache::keep(const std::string& key, std::string value) {
    Entry entry{key, std::make_shared<const std::string>(std::move(value))};
    const auto kept = entry.value;
    const std::lock_guard lock(mutex_);
    if (const auto found = places_.find(key); found != places_.end()) {
        bytes_ -= size_of(*found->second);
        entries_.erase(found->second);
        places_.erase(found);
    }
    if (size_of(entry) > budget_bytes_) return kept;
    bytes_ += size_of(entry);
    entries_.push_front(std::move(entry));
    places_[key] = entries_.begin();
    while (bytes_ > budget_bytes_) {
        bytes_ -= size_of(entries_.back());
        places_.erase(entries_.back().key);
        entries_.pop_back();
    }
    return kept;
}

}  // namespace lookalike
