#include "tools/load/picture_queue.h"

#include <utility>

namespace lookalike {

bool PictureQueue::push(Picture picture) {
    std::unique_lock lock(mutex_);
    const size_t size = picture.content.size();
    has_room_.wait(lock,
                   [&] { return is_stopped_ || bytes_ == 0 || bytes_ + size <= limit_bytes_; });
    if (is_stopped_) return false;
    bytes_ += size;
    pictures_.push_back(std::move(picture));
    has_picture_.notify_one();
    return true;
}

std::optional<Picture> PictureQueue::pop() {
    std::unique_lock lock(mutex_);
    has_picture_.wait(lock, [&] { return is_stopped_ || is_finished_ || !pictures_.empty(); });
    if (is_stopped_ || pictures_.empty()) return std::nullopt;
    Picture picture = std::move(pictures_.front());
    pictures_.pop_front();
    bytes_ -= picture.content.size();
    has_room_.notify_all();
    return picture;
}

void PictureQueue::finish() {
    const std::lock_guard lock(mutex_);
    is_finished_ = true;
    has_picture_.notify_all();
}

void PictureQueue::stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    pictures_.clear();
    has_room_.notify_all();
    has_picture_.notify_all();
}

}  // namespace lookalike
