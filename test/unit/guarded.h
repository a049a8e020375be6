// Memory behind whose end nothing can be read or written.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace lookalike {

/// Holds copies of elements up to a page that nobody may touch: who does ends the program.
template <class Element>
class Guarded {
  public:
    explicit Guarded(const std::vector<Element>& elements) : count_(elements.size()) {
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        const size_t used = (count_ * sizeof(Element) + page - 1) / page * page;
        mapped_bytes_ = used + page;
        start_ = static_cast<uint8_t*>(mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (start_ == MAP_FAILED || mprotect(start_ + used, page, PROT_NONE) != 0)
            throw std::runtime_error("no guarded memory");
        data_ = reinterpret_cast<Element*>(start_ + used) - count_;
        std::copy(elements.begin(), elements.end(), data_);
    }
    ~Guarded() { munmap(start_, mapped_bytes_); }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;

    Element* data() const { return data_; }
    std::vector<Element> elements() const { return {data_, data_ + count_}; }

  private:
    size_t count_, mapped_bytes_;
    uint8_t* start_;
    Element* data_;
};

}  // namespace lookalike
