// What was made lately is kept, up to a number of bytes. For any thread.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace lookalike {

class ByteCache {
  public:
    explicit ByteCache(size_t budget_bytes) : budget_bytes_(budget_bytes) {}

    /// Null when it is not there.
    std::shared_ptr<const std::string> find(const std::string& key);

    /// What was not asked for longest makes room; what is larger than the budget is not kept.
    std::shared_ptr<const std::string> keep(const std::string& key, std::string value);

  private:
    struct Entry {
        std::string key;
        std::shared_ptr<const std::string> value;
    };
    static size_t size_of(const Entry& entry);

    const size_t budget_bytes_;
    size_t bytes_ = 0;
    std::mutex mutex_;
    std::list<Entry> entries_;  ///< the latest first
    std::unordered_map<std::string, std::list<Entry>::iterator> places_;
};

}  // namespace lookalike
