#include "writer/read_back.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "format/digest.h"
#include "io/aligned_buffer.h"

namespace ingot::writer {
namespace {

// Takes the file's bytes in order, in windows of any size, and compares item by item.
class Comparison {
 public:
  explicit Comparison(const ReadBackOptions& options) : options_(options) {}

  Status take(std::uint64_t offset, Bytes window) {
    while (!window.empty()) {
      if (!item_) {
        item_ = options_.next_item();
        streaming_.reset();
      }
      const std::uint64_t left = item_->end - offset;
      const Bytes part = window.first(std::min<std::uint64_t>(left, window.size()));
      INGOT_RETURN_IF_ERROR(take_part(offset, part));
      offset += part.size();
      window = window.subspan(part.size());
    }
    return {};
  }

 private:
  Status take_part(std::uint64_t offset, Bytes part) {
    const bool last = offset + part.size() == item_->end;
    if (item_->region == Region::kPadding) {
      if (const std::size_t at = first_nonzero(part); at != part.size()) {
        return make_error(Code::kCorrupt, "read back: a byte that must be zero")
            .file(options_.path)
            .at(Region::kPadding, offset + at, offset + at + 1)
            .found(std::to_integer<std::uint64_t>(part[at]));
      }
    } else if (last && !streaming_) {
      INGOT_RETURN_IF_ERROR(compare(format::xxh3_128(part)));
    } else {
      if (!streaming_) streaming_.emplace();
      streaming_->update(part);
      if (last) INGOT_RETURN_IF_ERROR(compare(streaming_->finish()));
    }
    if (last) item_.reset();
    return {};
  }

  Status compare(const Digest128& found) const {
    if (found == item_->digest) return {};
    const bool data = item_->region == Region::kData;
    ErrorBuilder error =
        make_error(data ? Code::kChecksumMismatch : Code::kCorrupt, "read back differs");
    error.file(options_.path).at(item_->region, item_->begin, item_->end);
    if (data) error.tensor(options_.owner_of(item_->storage)).chunk(item_->chunk, item_->chunks);
    return error.expected(to_string(item_->digest)).found(to_string(found));
  }

  const ReadBackOptions& options_;
  std::optional<FileItem> item_;
  std::optional<format::StreamingDigest> streaming_;
};

// Windows in flight; each is taken when its turn in the file comes.
class WindowReader {
 public:
  WindowReader(io::File& file, std::unique_ptr<io::Queue> queue, const ReadBackOptions& options)
      : file_(file), options_(options), comparison_(options), queue_(std::move(queue)) {}

  Status run() {
    INGOT_RETURN_IF_ERROR(allocate());
    for (std::uint64_t offset = 0; offset < options_.file_bytes;) {
      while (ahead_.size() < windows_.size() && submitted_ < options_.file_bytes) {
        INGOT_RETURN_IF_ERROR(submit());
      }
      Window& window = *ahead_.front();
      while (!window.done) INGOT_RETURN_IF_ERROR(complete_one());
      if (options_.cancelled()) {
        return make_error(Code::kCancelled, "cancelled while reading back").file(options_.path);
      }
      INGOT_RETURN_IF_ERROR(comparison_.take(offset, window.memory.bytes().first(window.bytes)));
      offset += window.bytes;
      idle_.push_back(&window);
      ahead_.pop_front();
    }
    return {};
  }

 private:
  struct Window {
    io::AlignedBuffer memory;
    std::uint64_t bytes = 0;
    bool done = false;
  };

  Status allocate() {
    const std::uint32_t count = std::clamp(options_.windows, 1U, queue_->depth());
    windows_.resize(count);
    for (Window& window : windows_) {
      INGOT_ASSIGN_OR_RETURN(window.memory, io::AlignedBuffer::allocate(options_.window_bytes));
      idle_.push_back(&window);
    }
    return {};
  }

  Status submit() {
    Window& window = *idle_.front();
    window.bytes = std::min(options_.window_bytes, options_.file_bytes - submitted_);
    window.done = false;
    INGOT_RETURN_IF_ERROR(
        queue_->submit({.op = io::Transfer::Op::kRead,
                        .file = &file_,
                        .offset = submitted_,
                        .memory = window.memory.data(),
                        .bytes = window.bytes,
                        .token = static_cast<std::uint64_t>(&window - windows_.data())}));
    submitted_ += window.bytes;
    idle_.pop_front();
    ahead_.push_back(&window);
    return {};
  }

  Status complete_one() {
    INGOT_ASSIGN_OR_RETURN(const io::Completion completion, queue_->wait());
    INGOT_RETURN_IF_ERROR(completion.status);
    windows_[completion.token].done = true;
    return {};
  }

  io::File& file_;
  const ReadBackOptions& options_;
  Comparison comparison_;
  std::vector<Window> windows_;
  std::deque<Window*> idle_;
  std::deque<Window*> ahead_;  // in file order
  std::uint64_t submitted_ = 0;
  std::unique_ptr<io::Queue> queue_;  // the first to go: it waits until no read is in flight
};

}  // namespace

Status read_back(io::File& file, std::unique_ptr<io::Queue> queue, const ReadBackOptions& options) {
  return WindowReader(file, std::move(queue), options).run();
}

}  // namespace ingot::writer
