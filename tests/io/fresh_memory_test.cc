// Memory that is brought in before it is written, and when huge pages are asked for.
#include "io/fresh_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/aligned_buffer.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::io {
namespace {

constexpr std::size_t kPage = 4096;

// Private memory on small pages, none of which is there.
class FreshMemory {
 public:
  explicit FreshMemory(std::size_t pages) : size_(pages * kPage) {
    void* memory =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory, MAP_FAILED);
    data_ = static_cast<std::byte*>(memory);
    ::madvise(data_, size_, MADV_NOHUGEPAGE);
  }
  ~FreshMemory() { ::munmap(data_, size_); }
  FreshMemory(const FreshMemory&) = delete;
  FreshMemory& operator=(const FreshMemory&) = delete;

  MutableBytes bytes() const { return {data_, size_}; }
  std::size_t pages_there() const {
    std::vector<unsigned char> there(size_ / kPage);
    EXPECT_EQ(::mincore(data_, size_, there.data()), 0);
    return static_cast<std::size_t>(
        std::count_if(there.begin(), there.end(), [](auto page) { return (page & 1) != 0; }));
  }

 private:
  std::size_t size_;
  std::byte* data_ = nullptr;
};

bool can_populate() {
#ifdef MADV_POPULATE_WRITE
  const FreshMemory probe(1);
  return ::madvise(probe.bytes().data(), kPage, MADV_POPULATE_WRITE) == 0;
#else
  return false;
#endif
}

TEST(BringInTest, AllWholePagesOfFreshMemoryAreThereAfterwards) {
  if (!can_populate()) GTEST_SKIP() << "the kernel has no MADV_POPULATE_WRITE";
  const FreshMemory memory(3000);  // more than is asked about at once
  bring_in(memory.bytes());
  EXPECT_EQ(memory.pages_there(), 3000U);

  const FreshMemory odd(100);
  bring_in(odd.bytes().subspan(1, 98 * kPage));  // 97 whole ones
  EXPECT_EQ(odd.pages_there(), 97U);
}

TEST(BringInTest, FewPagesAreLeftToFaults) {
  const FreshMemory memory(20);
  bring_in({});
  bring_in(memory.bytes().first(1));
  bring_in(memory.bytes().subspan(100, 2 * kPage));
  EXPECT_EQ(memory.pages_there(), 0U);
}

TEST(BringInTest, ContentStays) {
  const FreshMemory memory(64);
  const MutableBytes half = memory.bytes().first(20 * kPage);
  std::fill(half.begin(), half.end(), std::byte{7});
  bring_in(memory.bytes());
  EXPECT_TRUE(std::all_of(half.begin(), half.end(), [](std::byte b) { return b == std::byte{7}; }));
  const Bytes rest = Bytes(memory.bytes()).subspan(half.size());
  EXPECT_TRUE(std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; }));
}

// Memory that is mostly there is written to by someone who loads into it again: asking the kernel
// to bring it in would cost about as much as the copy.
TEST(BringInTest, MemoryThatIsMostlyThereIsLeftAlone) {
  const FreshMemory memory(100);
  std::memset(memory.bytes().data(), 1, 60 * kPage);
  bring_in(memory.bytes());
  EXPECT_EQ(memory.pages_there(), 60U);
}

TEST(BringInTest, MemoryThatCannotBeWrittenIsNoError) {
  const FreshMemory memory(64);
  ASSERT_EQ(::mprotect(memory.bytes().data(), 64 * kPage, PROT_READ), 0);
  bring_in(memory.bytes());
  EXPECT_EQ(memory.pages_there(), 0U);
}

class HugePagesTest : public ::testing::Test {
 protected:
  // `features`: as in sysfs, from bit 0.
  void add(const std::string& name, const std::string& device, const std::string& features) {
    const std::string folder = folder_.path(name);
    std::filesystem::create_directory(folder);
    std::ofstream(folder + "/device") << device << "\n";
    std::ofstream(folder + "/features") << features << "\n";
  }
  bool reports() { return reports_free_pages(folder_.folder()); }

  ::ingot::testing::Scratch folder_;
};

TEST_F(HugePagesTest, ABalloonThatReportsFreePagesIsFound) {
  EXPECT_FALSE(reports());
  add("virtio0", "0x0002", "11111111");  // a disk
  add("virtio1", "0x0005", "11111011");  // a balloon without bit 5
  EXPECT_FALSE(reports());
  add("virtio2", "0x0005", "00000100");
  EXPECT_TRUE(reports());
}

TEST_F(HugePagesTest, WhatCannotBeReadIsNoBalloon) {
  EXPECT_FALSE(reports_free_pages(folder_.path("missing")));
  add("virtio0", "0x0005", "111");
  std::filesystem::create_directory(folder_.path("virtio1"));
  EXPECT_FALSE(reports());
}

TEST(AlignedBufferUseTest, BothUsesGiveZeroedMemoryAtAPage) {
  for (const MemoryUse use : {MemoryUse::kTransfers, MemoryUse::kContent}) {
    for (const std::uint64_t bytes : {std::uint64_t{1}, std::uint64_t{3} << 20}) {
      ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(bytes, use));
      EXPECT_EQ(buffer.size(), bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % kPage, 0U);
      EXPECT_TRUE(std::all_of(buffer.bytes().begin(), buffer.bytes().end(),
                              [](std::byte b) { return b == std::byte{0}; }));
    }
  }
}

// Resident bytes of the mappings that lie around a buffer, and how many of them are in huge pages.
struct Resident {
  std::uint64_t bytes = 0;
  std::uint64_t huge = 0;
};

Resident resident_of(const AlignedBuffer& buffer) {
  const auto begin = reinterpret_cast<std::uintptr_t>(buffer.data());
  // Whole huge pages, and one more behind them: what a buffer could have been given too much of.
  const std::uintptr_t end = begin + buffer.size() + (std::uintptr_t{2} << 20);
  Resident result;
  std::ifstream lines("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    unsigned long long kib = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) {
      inside = from >= begin && to <= end;
    } else if (inside && std::sscanf(line.c_str(), "Rss: %llu kB", &kib) == 1) {
      result.bytes += kib << 10;
    } else if (inside && std::sscanf(line.c_str(), "AnonHugePages: %llu kB", &kib) == 1) {
      result.huge += kib << 10;
    }
  }
  return result;
}

// What is asked for is a budget: rounding up to huge pages would go beyond it by up to two MiB a
// buffer.
TEST(AlignedBufferUseTest, TransfersTakeWhatWasAskedForAndNoMore) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  for (const std::uint64_t bytes : {2 * kMiB, 2 * kMiB + 2 * kPage, 5 * kMiB / 2, 4 * kMiB,
                                    4 * kMiB - 1, 12 * kMiB + 6 * kPage}) {
    ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(bytes));
    std::ranges::fill(buffer.bytes(), std::byte{1});
    const Resident resident = resident_of(buffer);
    EXPECT_LE(resident.bytes, (bytes + kPage - 1) / kPage * kPage) << bytes;
    // All of it that fills one lies on huge pages, as far as there are any.
    EXPECT_EQ(resident.huge % (2 * kMiB), 0U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % (2 * kMiB), 0U);
    RecordProperty("huge_of_" + std::to_string(bytes), std::to_string(resident.huge));
  }
}

}  // namespace
}  // namespace ingot::io
