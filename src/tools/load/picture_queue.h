// Pictures between those that read them and those that send them: so many bytes at most.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace lookalike {

struct Picture {
    size_t index;  ///< among the files
    std::string content;
    std::string digest;
};

class PictureQueue {
  public:
    explicit PictureQueue(size_t limit_bytes) : limit_bytes_(limit_bytes) {}

    /// Waits for room; a picture above the limit gets through when it is alone. False once stopped.
    bool push(Picture picture);

    /// Waits for a picture. Nothing when all have been given out, or once stopped.
    std::optional<Picture> pop();

    /// No more will come.
    void finish();

    /// Nobody waits any longer, and what is there is thrown away.
    void stop();

  private:
    const size_t limit_bytes_;
    std::mutex mutex_;
    std::condition_variable has_room_;
    std::condition_variable has_picture_;
    std::deque<Picture> pictures_;
    size_t bytes_ = 0;
    bool is_finished_ = false;
    bool is_stopped_ = false;
};

}  // namespace lookalike
