// A descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

#include <utility>

#include "core/no_postgres.h"

namespace lookalike {

class FileDescriptor {
  public:
    explicit FileDescriptor(int number = -1) : number_(number) {}
    ~FileDescriptor() {
        if (number_ >= 0) close(number_);
    }
    FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    int get() const { return number_; }

  private:
    int number_;
};

}  // namespace lookalike
