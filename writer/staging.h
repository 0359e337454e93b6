// Staging slots: the writer's bounded buffers between the caller's memory and the file.
//
// A slot collects bytes that are neighbours in the file, so that many small storages become few
// large writes, then goes to the I/O queue while the next one is filled. Before it goes, every byte
// in it is hashed again and compared with the digest taken when it was handed over.
//
// Why O_DIRECT and buffered writes never meet in one page. Call the bytes [begin, end) that a slot
// writes its extent. (1) Extents are disjoint: each byte of data is claimed once (ledger.h), each
// region of metadata is written once, and padding belongs to an extent only when the data before it
// does (it ends there) and only up to the next storage. (2) Within an extent, the pages that lie
// wholly inside go direct, the rest of it, if any, buffered. So a page that is written direct lies
// wholly in one extent; no other extent has a byte of it, and that extent writes it once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/digest.h"
#include "ingot/progress.h"
#include "ingot/status.h"

#include "base/bytes.h"
#include "io/file.h"
#include "io/queue.h"
#include "writer/sticky_status.h"

namespace ingot::writer {

struct Slot;

// Bytes that are to be staged, and what may follow them.
struct StagingRequest {
  std::uint64_t offset = 0;         // from file start
  std::uint64_t bytes = 0;          // not 0
  std::uint64_t padding_after = 0;  // zero bytes behind the last one that nobody else writes
  bool counted = true;              // in progress reports
};

// Memory for the first bytes of a request. Fill it, then finish() it, without waiting for anything
// in between.
struct Reservation {
  Slot* slot = nullptr;
  std::size_t record = 0;
  MutableBytes memory;
};

struct StagingOptions {
  std::uint64_t slot_bytes = 0;   // multiple of 4096, at least 4 pages
  std::uint64_t slots = 2;        // at least 2
  std::uint64_t total_bytes = 0;  // of progress reports
  ProgressCallback progress = {};
  std::string path = {};  // for messages
  // Name of the tensor at a file offset, for messages. May be empty.
  std::function<std::string(std::uint64_t file_offset)> owner_at = {};
  // Tests: called with a full slot's content just before it is hashed again.
  std::function<void(std::uint64_t file_offset, MutableBytes content)> before_rehash = {};
};

// Thread-safe. The files and `error` belong to the caller and outlive it. Destruction waits for
// what is in flight.
class Staging {
 public:
  // `direct` is null when all goes through the page cache.
  Staging(io::File& buffered, io::File* direct, std::unique_ptr<io::Queue> queue,
          StickyStatus& error, StagingOptions options);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  std::uint64_t slot_bytes() const { return options_.slot_bytes; }

  // Blocks until there is room. A request that does not fit is served in part.
  Result<Reservation> reserve(const StagingRequest& request);
  // The memory holds bytes whose digest, taken where they came from, is `handed_over`.
  void finish(const Reservation& reservation, const Digest128& handed_over);
  // Hands everything to the queue and waits until it is in the file.
  Status drain();

 private:
  using Lock = std::unique_lock<std::mutex>;

  Slot* continued_by(const StagingRequest& request);
  bool fits(const Slot& slot, const StagingRequest& request) const;
  Reservation append(Slot& slot, const StagingRequest& request);
  void begin_after(Slot& fresh, Slot* before, const StagingRequest& request);
  Result<Slot*> acquire(Lock& lock);
  void release(Slot& slot);
  void seal(Slot& slot, Slot* heir);
  void limit_open_slots();
  // Hashes, submits. These let go of the lock for a while.
  void process_ready(Lock& lock);
  void process(Slot& slot, Lock& lock);
  void carry_over(Slot& slot);
  Status rehash(const Slot& slot) const;
  Status check_padding(const Slot& slot, std::size_t begin, std::size_t end) const;
  void submit(Slot& slot);
  Status submit_part(Slot& slot, io::File& file, std::uint64_t begin, std::uint64_t end);
  void reap();
  void wake();
  void wait(Lock& lock);
  void fail(Status status);

  io::File& buffered_;
  io::File* direct_;
  StickyStatus& error_;
  StagingOptions options_;

  std::mutex mutex_;  // of everything below, and of queue_
  std::condition_variable changed_;
  int waiting_ = 0;  // threads
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> free_;
  std::list<Slot*> open_;     // least recently used first
  std::vector<Slot*> ready_;  // sealed and filled: to be hashed and submitted
  std::uint64_t done_bytes_ = 0;
  bool queue_failed_ = false;         // it lost count of what is in flight
  std::unique_ptr<io::Queue> queue_;  // goes first: it writes from the slots
};

}  // namespace ingot::writer
