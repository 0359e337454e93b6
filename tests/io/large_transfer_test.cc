// Requests of more than 2 GiB, which Linux does not transfer in one call: really read and written.
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "io/posix_file.h"
#include "io/queue.h"
#include "tests/io/io_testing.h"
#include "tests/support/sanitized.h"

namespace ingot::io {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kWindow = 64 * kMiB;
constexpr std::uint64_t kBytes = 34 * kWindow;
static_assert(kBytes > 2 * kMaxCallBytes && kBytes > 0x7ffff000);

// kBytes of address space over the same kWindow of memory, again and again.
class Folded {
 public:
  Folded() {
    const int file = ::memfd_create("folded", MFD_CLOEXEC);
    if (file < 0 || ::ftruncate(file, kWindow) != 0) std::abort();
    void* base =
        ::mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) std::abort();
    data_ = static_cast<std::byte*>(base);
    for (std::uint64_t at = 0; at < kBytes; at += kWindow) {
      if (::mmap(data_ + at, kWindow, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
                 file, 0) == MAP_FAILED) {
        std::abort();
      }
    }
    ::close(file);
  }
  ~Folded() { ::munmap(data_, kBytes); }
  Folded(const Folded&) = delete;
  Folded& operator=(const Folded&) = delete;

  MutableBytes bytes() const { return {data_, kBytes}; }
  MutableBytes window() const { return {data_, kWindow}; }

 private:
  std::byte* data_ = nullptr;
};

// By calls of the caller's thread, or as one transfer of a queue: io_uring where it is to be had.
enum class Way { kCalls, kQueue };

Status transfer(Way way, Transfer::Op op, File& file, MutableBytes memory) {
  if (way == Way::kCalls) {
    return op == Transfer::Op::kRead ? read_exact(file, 0, memory) : write_all(file, 0, memory);
  }
  INGOT_ASSIGN_OR_RETURN(auto queue, open_queue({}));
  INGOT_RETURN_IF_ERROR(queue->submit({.op = op,
                                       .file = &file,
                                       .offset = 0,
                                       .memory = memory.data(),
                                       .bytes = memory.size(),
                                       .token = 7}));
  INGOT_ASSIGN_OR_RETURN(const Completion completion, queue->wait());
  EXPECT_EQ(completion.token, 7U);
  return completion.status;
}

// In bytes; 0 when /proc does not say.
std::uint64_t available_memory() {
  std::ifstream in("/proc/meminfo");
  for (std::string key, line; in >> key; std::getline(in, line)) {
    if (key == "MemAvailable:") return std::strtoull(line.c_str(), nullptr, 10) * 1024;
  }
  return 0;
}

class LargeTransfer : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (testing::kSanitized) GTEST_SKIP() << "sanitizers keep notes of every byte";
  }
  static const Folded& memory() {
    static const Folded kMemory;
    return kMemory;
  }
};

// A hole, and bytes behind what one call reads.
TEST_P(LargeTransfer, Reads) {
  // Holes take no memory there, nor time.
  Place place(::access("/dev/shm", W_OK) == 0 ? PlaceKind::kSharedMemory : PlaceKind::kDisk);
  auto file = create_file(place.files(), place.path("hole"), {});
  const Status sized = file->resize(kBytes);
  if (!sized.ok()) GTEST_SKIP() << sized.to_string();
  const auto mark = pattern(1000);
  ASSERT_OK(write_all(*file, kBytes - 1000, mark));
  ASSERT_OK(write_all(*file, kBytes - kWindow, mark));

  std::ranges::fill(memory().window(), std::byte{1});
  ASSERT_OK(transfer(GetParam(), Transfer::Op::kRead, *file, memory().bytes()));
  std::vector<std::byte> expected(kWindow);
  std::ranges::copy(mark, expected.begin());
  std::ranges::copy(mark, expected.end() - 1000);
  EXPECT_TRUE(std::ranges::equal(memory().window(), expected));
}

TEST_P(LargeTransfer, Writes) {
  constexpr std::uint64_t kSpare = 2048 * kMiB;
  struct statvfs free {};
  if (::statvfs("/dev/shm", &free) != 0 || ::access("/dev/shm", W_OK) != 0 ||
      free.f_bavail * free.f_frsize < kBytes + kMiB || available_memory() < kBytes + kSpare) {
    GTEST_SKIP() << "needs " << kBytes / kMiB << " MiB in /dev/shm, and 2 GiB of memory beside";
  }
  Place place(PlaceKind::kSharedMemory);
  auto file = create_file(place.files(), place.path("large"), {});
  std::ranges::copy(pattern(kWindow), memory().window().begin());
  ASSERT_OK(transfer(GetParam(), Transfer::Op::kWrite, *file, memory().bytes()));
  EXPECT_EQ(file->stat()->bytes, kBytes);
  std::vector<std::byte> part(kWindow);
  // The first window, the one in which a call ends, and the last one.
  for (const std::uint64_t window :
       {std::uint64_t{0}, kMaxCallBytes / kWindow, kBytes / kWindow - 1}) {
    ASSERT_OK(read_exact(*file, window * kWindow, part));
    EXPECT_TRUE(std::ranges::equal(part, memory().window())) << window;
  }
}

INSTANTIATE_TEST_SUITE_P(ByWay, LargeTransfer, ::testing::Values(Way::kCalls, Way::kQueue),
                         [](const auto& test) {
                           return std::string(test.param == Way::kCalls ? "calls" : "queue");
                         });

}  // namespace
}  // namespace ingot::io
