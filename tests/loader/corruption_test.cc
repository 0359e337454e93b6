// Every single-bit flip of a small file, and larger damage to sectors and pages: all of it is
// found, and named by its region, tensor and range.
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <set>
#include <thread>

#include "ingot/verify.h"

#include "format/header.h"
#include "tests/loader/byte_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

// Sanitizers cost a factor of ten: there, one bit of every byte instead of all eight.
constexpr std::uint64_t kBitsOfAByte = kSanitized ? 1 : 8;

// What must be said of damage to a byte.
struct Place {
  Code code = Code::kCorrupt;
  Region region = Region::kPadding;
  std::string tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  // In a file that is open, metadata is compared with what was read, byte by byte.
  Place of_open_file(std::uint64_t at) const {
    if (region == Region::kData) return *this;
    return {Code::kCorrupt, region, "", at, at + 1};
  }
};

// The file and, for each of its bytes, what the format says it is: worked out here once more, from
// the header and the storages alone.
class Subject {
 public:
  Subject() {
    Scratch scratch;
    const std::string path = scratch.path("small.ingot");
    EXPECT_OK(write_sample(path, plan(), quick_options()));
    bytes_ = read_file(path);
    intact_ = std::make_unique<Checkpoint>(*Checkpoint::open(path));
    header_ = *format::decode_header(std::span(bytes_).first(4096), path, Region::kHeader);
  }

  static WritePlan plan() {
    WritePlan plan;
    const TensorId embed = plan.add({.name = "embed.weight", .shape = {60, 100}});
    plan.add({.name = "norm.weight", .dtype = DType::kBFloat16, .shape = {333}});
    plan.add(
        {.name = "running_mean", .dtype = DType::kFloat64, .shape = {11}, .role = Role::kBuffer});
    plan.add({.name = "adam/exp_avg", .shape = {55, 99}, .role = Role::kOptimizerState});
    plan.add({.name = "head.weight", .shape = {60, 100}, .storage = plan.storage_of(embed)});
    plan.add({.name = "step", .dtype = DType::kInt64, .shape = {}, .role = Role::kOther});
    plan.attach("config.json", "application/json", 777);
    plan.set_state(StateValue::dict());
    return plan;
  }

  const Blob& bytes() const { return bytes_; }

  Place place(std::uint64_t at) const {
    const format::Header& h = header_;
    const auto within = [&](std::uint64_t begin, std::uint64_t bytes) {
      return at >= begin && at < begin + bytes;
    };
    if (at < 4096) return {Code::kCorrupt, Region::kHeader, "", 0, 4096};
    if (at >= h.second_header_offset())
      return {Code::kCorrupt, Region::kSecondHeader, "", at, at + 1};
    if (within(h.index_offset, h.index_bytes)) {
      return {Code::kCorrupt, Region::kIndex, "", h.index_offset, h.index_offset + h.index_bytes};
    }
    if (within(h.digests_offset, h.digests_bytes)) {
      return {Code::kCorrupt, Region::kDigestTable, "", h.digests_offset,
              h.digests_offset + h.digests_bytes};
    }
    for (std::uint32_t i = 0; i < intact_->storage_count(); ++i) {
      const StorageInfo storage = intact_->storage(i);
      if (!within(storage.offset, storage.bytes)) continue;
      const std::uint64_t begin = at - (at - storage.offset) % h.chunk_bytes();
      const std::uint64_t end = std::min(begin + h.chunk_bytes(), storage.offset + storage.bytes);
      return {Code::kChecksumMismatch, Region::kData, owner(i), begin, end};
    }
    return {Code::kCorrupt, Region::kPadding, "", at, at + 1};
  }

 private:
  std::string owner(std::uint32_t storage) const {
    for (std::uint32_t i = 0; i < intact_->tensor_count(); ++i) {
      if (intact_->info(i).storage == storage) return std::string(intact_->info(i).name);
    }
    return std::string(intact_->attachment(0).name);
  }

  Blob bytes_;
  std::unique_ptr<Checkpoint> intact_;
  format::Header header_;
};

const Subject& subject() {
  static const Subject kSubject;
  return kSubject;
}

// A copy of the file that one thread damages and mends.
class Victim {
 public:
  Victim() : bytes_(subject().bytes()), memory_(bytes_) {
    memory_.let_map();
    opened_ = std::make_unique<Checkpoint>(*Checkpoint::open("f", {.file_system = &memory_}));
  }
  std::byte& operator[](std::uint64_t at) { return bytes_[at]; }
  std::span<std::byte> part(std::uint64_t at, std::uint64_t n) {
    return std::span(bytes_).subspan(at, n);
  }
  bool intact() const { return bytes_ == subject().bytes(); }
  void mend() { bytes_ = subject().bytes(); }

  // What open(), or else a verification of everything, says; OK when neither sees anything.
  Status diagnose() {
    const Result<Checkpoint> checkpoint = Checkpoint::open("f", {.file_system = &memory_});
    if (!checkpoint.ok()) return checkpoint.status();
    return verify_by(ReadPath::kRead, *checkpoint);
  }
  // What a verification through the mapping says of the file that was opened before the damage.
  Status diagnose_open() { return verify_by(ReadPath::kMapping, *opened_); }

 private:
  static Status verify_by(ReadPath path, const Checkpoint& checkpoint) {
    const Result<VerifyReport> report = verify(checkpoint, {.path = path, .threads = 1});
    if (!report.ok()) return report.status();
    if (report->path != path) return {Code::kInternal, "verified by another path"};
    return report->intact() ? Status() : report->errors.at(0);
  }

  Blob bytes_;
  ByteFileSystem memory_;
  std::unique_ptr<Checkpoint> opened_;
};

std::string describe(const Status& status) {
  const Location& at = status.location();
  return status.to_string() + " [" + std::string(region_name(at.region)) + ", \"" + at.tensor +
         "\", " + std::to_string(at.begin) + ", " + std::to_string(at.end) + ")";
}

bool says(const Status& status, const Place& place) {
  const Location& at = status.location();
  return status.code() == place.code && at.region == place.region && at.tensor == place.tensor &&
         at.begin == place.begin && at.end == place.end;
}

// Calls work(number, victim) for all numbers below `count`, on every processor; it returns an
// error text or nothing.
void for_each(std::uint64_t count, const std::function<std::string(std::uint64_t, Victim&)>& work) {
  subject();
  std::atomic<std::uint64_t> next{0};
  std::atomic<int> failures{0};
  const auto loop = [&] {
    Victim victim;
    for (std::uint64_t i; (i = next.fetch_add(1)) < count && failures < 10;) {
      const std::string error = work(i, victim);
      if (error.empty()) continue;
      ++failures;
      ADD_FAILURE() << error;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) threads.emplace_back(loop);
  loop();
  for (std::thread& thread : threads) thread.join();
}

TEST(CorruptionTest, TheSubjectHasEveryRegion) {
  EXPECT_GE(subject().bytes().size(), 65536U);
  std::set<Region> regions;
  std::set<std::string> tensors;
  for (std::uint64_t at = 0; at < subject().bytes().size(); ++at) {
    regions.insert(subject().place(at).region);
    tensors.insert(subject().place(at).tensor);
  }
  EXPECT_EQ(regions.size(), 6U);
  EXPECT_EQ(tensors.size(), 7U);
  EXPECT_OK(Victim().diagnose());
  EXPECT_OK(Victim().diagnose_open());
}

// By a new open() and read(2); and, in a file that is open already, through the mapping, which is
// the command's default.
TEST(CorruptionTest, EverySingleBitFlip) {
  const std::uint64_t count = subject().bytes().size() * kBitsOfAByte;
  for_each(count, [](std::uint64_t i, Victim& victim) -> std::string {
    const std::uint64_t at = i / kBitsOfAByte;
    const std::uint64_t bit = kBitsOfAByte == 8 ? i % 8 : at % 8;
    victim[at] ^= std::byte(1U << bit);
    const Status read = victim.diagnose();
    const Status mapped = victim.diagnose_open();
    victim[at] = subject().bytes()[at];
    const Place place = subject().place(at);
    if (says(read, place) && says(mapped, place.of_open_file(at))) return {};
    return "byte " + std::to_string(at) + ", bit " + std::to_string(bit) + ": " + describe(read) +
           "; mapped: " + describe(mapped);
  });
  std::cout << count << " single-bit flips in " << subject().bytes().size()
            << " bytes, every one found and named\n";
}

// The operating system's mapping instead of a double's: one bit of every byte that open() does not
// read, in a file that is open already.
TEST(CorruptionTest, BitFlipsUnderARealMapping) {
  Scratch scratch;
  const std::string path = scratch.path("small.ingot");
  write_file(path, subject().bytes());
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path));
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::uint64_t at, std::byte value) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(value));
    file.flush();
  };
  for (std::uint64_t at = 4096; at < checkpoint.file().data_end; ++at) {
    const std::byte before = subject().bytes()[at];
    put(at, before ^ std::byte(1U << at % 8));
    ASSERT_OK_AND_ASSIGN(const VerifyReport report,
                         verify(checkpoint, {.path = ReadPath::kMapping, .threads = 1}));
    put(at, before);
    ASSERT_EQ(report.path, ReadPath::kMapping);
    ASSERT_FALSE(report.intact()) << at;
    ASSERT_TRUE(says(report.errors[0], subject().place(at))) << describe(report.errors[0]);
  }
}

// The first byte that the error is about and that really changed.
std::uint64_t first_change(Victim& victim, const Location& where) {
  for (std::uint64_t at = where.begin; at < where.end; ++at) {
    if (victim[at] != subject().bytes()[at]) return at;
  }
  return 0;
}

// Damages a copy, and wants an error that is right for one of the bytes that changed.
void expect_found(std::uint64_t count, std::string_view what,
                  const std::function<void(std::uint64_t, Victim&)>& damage) {
  std::atomic<std::uint64_t> damaged{0};
  for_each(count, [&](std::uint64_t i, Victim& victim) -> std::string {
    damage(i, victim);
    if (victim.intact()) return {};  // zeros over zeros
    ++damaged;
    const Status status = victim.diagnose();
    const bool right = says(status, subject().place(first_change(victim, status.location())));
    victim.mend();
    if (right) return {};
    return std::string(what) + " " + std::to_string(i) + ": " + describe(status);
  });
  EXPECT_GT(damaged, count / 3);
}

TEST(CorruptionTest, BurstsOfTwoToEightBits) {
  expect_found(subject().bytes().size() - 1, "burst at byte", [](std::uint64_t i, Victim& victim) {
    const std::uint32_t burst = ((1U << (2 + i % 7)) - 1) << (i / 7 % 8);
    victim[i] ^= std::byte(burst & 255);
    victim[i + 1] ^= std::byte(burst >> 8);
  });
}

void fill(std::span<std::byte> part, int value) { std::memset(part.data(), value, part.size()); }

TEST(CorruptionTest, LostSectors) {
  const std::uint64_t sectors = subject().bytes().size() / 512;
  expect_found(sectors * 2, "sector", [](std::uint64_t i, Victim& victim) {
    fill(victim.part(i / 2 * 512, 512), i % 2 == 0 ? 0 : 0xFF);
  });
}

TEST(CorruptionTest, LostPages) {
  const std::uint64_t pages = subject().bytes().size() / 4096;
  expect_found(pages * 2, "page", [](std::uint64_t i, Victim& victim) {
    fill(victim.part(i / 2 * 4096, 4096), i % 2 == 0 ? 0 : 0xFF);
  });
}

// Misdirected writes: two pages in each other's place, or one twice.
TEST(CorruptionTest, SwappedAndDoubledPages) {
  const std::uint64_t pages = subject().bytes().size() / 4096;
  expect_found(pages * pages, "pages", [pages](std::uint64_t i, Victim& victim) {
    const auto from = victim.part(i / pages * 4096, 4096);
    const auto to = victim.part(i % pages * 4096, 4096);
    if (i / pages < i % pages) {
      std::swap_ranges(from.begin(), from.end(), to.begin());
    } else {
      std::copy(from.begin(), from.end(), to.begin());
    }
  });
}

// Pages that kept what an earlier save had written there.
TEST(CorruptionTest, StalePages) {
  Scratch scratch;
  const std::string path = scratch.path("earlier.ingot");
  WriterOptions options = quick_options();
  options.save_id = std::array<std::uint8_t, 16>{7};
  ASSERT_OK(write_sample(path, Subject::plan(), options));
  Blob earlier = read_file(path);
  ASSERT_EQ(earlier.size(), subject().bytes().size());
  // Other weights, too: every data byte differs.
  for (std::uint64_t at = 4096; at < earlier.size() - 3 * 4096; ++at)
    earlier[at] ^= std::byte{0x55};
  // Without page 0: of two intact headers that differ, nobody can say which is the stale one.
  expect_found(earlier.size() / 4096 - 1, "page", [&](std::uint64_t i, Victim& victim) {
    const std::uint64_t begin = (i + 1) * 4096;
    std::memcpy(victim.part(begin, 4096).data(), &earlier[begin], 4096);
  });
}

// The length is right, but from some byte on nothing was ever written.
TEST(CorruptionTest, ZeroTailFromEveryByte) {
  const std::uint64_t step = std::getenv("INGOT_EXHAUSTIVE") != nullptr ? 1 : 7;
  expect_found(subject().bytes().size() / step, "tail at", [step](std::uint64_t i, Victim& victim) {
    fill(victim.part(i * step, subject().bytes().size() - i * step), 0);
  });
}

}  // namespace
}  // namespace ingot::testing
