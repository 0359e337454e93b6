// Sparse files: more than a tebibyte of data in little memory, and claims that nobody wrote.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>

#include "ingot/verify.h"

#include "format/digest.h"
#include "format/header.h"
#include "format/index_model.h"
#include "format/layout.h"
#include "tests/loader/sample.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// A file of one tensor of zeros, made without writing it.
class SparseFile : public ::testing::Test {
 protected:
  struct Claim {
    std::uint64_t bytes;
    std::uint32_t chunk_log2 = 20;
    bool table_is_a_hole = false;  // its own digest is right, the chunks' are not
  };

  void make(const Claim& claim) {
    if (kSanitized) GTEST_SKIP() << "sanitizers take the address space for themselves";
    file_ = ::open(path_.c_str(), O_CREAT | O_RDWR, 0600);
    if (::ftruncate(file_, static_cast<off_t>(claim.bytes)) != 0) {
      GTEST_SKIP() << "this file system has no files of " << (claim.bytes >> 30) << " GiB";
    }
    bytes_ = claim.bytes;
    format::Header header;
    header.chunk_log2 = claim.chunk_log2;
    format::DataLayout layout(header.chunk_bytes(), header.alignment());
    format::PlacedStorage placed;
    ASSERT_TRUE(layout.place(claim.bytes, &placed));
    format::IndexModel model;
    model.storages.push_back({placed.offset, placed.bytes, placed.first_chunk, 0, 1});
    model.tensors.emplace_back();
    model.tensors[0].name = "huge";
    model.tensors[0].role = Role::kParameter;
    model.tensors[0].shape = {static_cast<std::int64_t>(claim.bytes)};
    ASSERT_OK_AND_ASSIGN(const Blob index, format::encode_index(model));

    ASSERT_OK_AND_ASSIGN(const format::TailLayout tail,
                         format::tail_layout(layout.end(), layout.chunks(), false, index.size()));
    header.file_bytes = tail.file_bytes;
    header.data_end = layout.end();
    header.digests_offset = tail.digests_offset;
    header.digests_bytes = tail.digests_bytes;
    if (claim.table_is_a_hole) {
      header.digests_digest = digest_of(Blob(tail.digests_bytes));
    } else {
      const Blob table = digests_of_zeros(header.chunk_bytes());
      header.digests_digest = digest_of(table);
      put(tail.digests_offset, table);
    }
    header.index_offset = tail.index_offset;
    header.index_bytes = tail.index_bytes;
    header.index_digest = digest_of(index);
    const format::HeaderPage page = format::encode_header(header);
    put(0, page);
    put(tail.index_offset, index);
    put(tail.second_header_offset, page);
    ::close(file_);
    digests_bytes_ = tail.digests_bytes;
  }

  Blob digests_of_zeros(std::uint64_t chunk_bytes) const {
    const std::uint64_t whole = bytes_ / chunk_bytes;
    const Blob zeros(chunk_bytes);
    Blob table((whole + 1) * 16);
    const Digest128 full = digest_of(zeros);
    for (std::uint64_t i = 0; i < whole; ++i) put_digest(table, i, full);
    put_digest(table, whole, digest_of(std::span(zeros).first(bytes_ % chunk_bytes)));
    return table;
  }
  static void put_digest(Blob& table, std::uint64_t i, const Digest128& digest) {
    store_le(std::span(table), i * 16, digest.low);
    store_le(std::span(table), i * 16 + 8, digest.high);
  }
  void put(std::uint64_t offset, std::span<const std::byte> bytes) {
    ASSERT_EQ(::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }

  // Lets the process have `bytes` more address space than it has now, and no more.
  static void limit_address_space(std::uint64_t bytes) {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages = 0;
    statm >> pages;
    struct rlimit limit {};
    limit.rlim_cur = limit.rlim_max = pages * 4096 + bytes;
    if (::setrlimit(RLIMIT_AS, &limit) != 0) std::abort();
  }
  // In a child with so much address space: expects that `use` finds no fault.
  static void expect_within(std::uint64_t address_space, const std::function<void()>& use) {
    EXPECT_EXIT(
        {
          limit_address_space(address_space);
          use();
          _exit(HasFailure() ? 1 : 0);
        },
        ::testing::ExitedWithCode(0), "");
  }

  Scratch scratch_;
  std::string path_ = scratch_.path("sparse.ingot");
  std::uint64_t bytes_ = 0;
  std::uint64_t digests_bytes_ = 0;

 private:
  int file_ = -1;
};

class HugeFile : public SparseFile {
 protected:
  static constexpr std::uint64_t kBytes = (std::uint64_t{1} << 41) + 12345;

  void SetUp() override { make({.bytes = kBytes}); }

  // What a user does with the file.
  void use(bool mapped) {
    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path_));
    const TensorInfo huge = *checkpoint.find("huge");
    EXPECT_EQ(huge.bytes, kBytes);
    const Result<TensorView> view = checkpoint.view(huge);
    if (mapped) {
      ASSERT_OK(view);
      EXPECT_EQ(view->bytes.back(), std::byte{0});
    } else {
      EXPECT_THAT(view, StatusIs(Code::kResourceExhausted, ::testing::HasSubstr("cannot map")));
    }
    Blob part(3'000'000, std::byte{1});
    const auto end = static_cast<std::int64_t>(kBytes);
    ASSERT_OK(checkpoint.read_slice(huge, {{end - 3'000'000}, {end}}, part));
    EXPECT_EQ(part, Blob(3'000'000));
    ASSERT_OK(verify(checkpoint, {.level = VerifyLevel::kIndex}));
  }
};

TEST_F(HugeFile, OpensWithinTheBudget) {
  expect_within(kBytes + 256 * kMiB, [this] { use(true); });
}

TEST_F(HugeFile, OpensWithoutRoomForTheMapping) {
  expect_within(256 * kMiB, [this] { use(false); });
}

// The digest table alone is 32 MiB: without room even for that, an error and no end of the process.
TEST_F(HugeFile, NoRoomIsAnError) {
  expect_within(8 * kMiB, [this] {
    EXPECT_THAT(Checkpoint::open(path_), StatusIs(Code::kResourceExhausted));
  });
}

// Three pages of disk that claim half a tebibyte of data, and so 128 MiB of digests.
class Claims : public SparseFile {
 protected:
  void SetUp() override {
    make({.bytes = std::uint64_t{1} << 39, .chunk_log2 = 16, .table_is_a_hole = true});
    if (IsSkipped()) return;
    ASSERT_EQ(digests_bytes_, 128 * kMiB);
  }
};

// F-33
TEST_F(Claims, AreRefusedBeforeMemoryIsAllocated) {
  expect_within(8 * kMiB, [this] {
    EXPECT_THAT(Checkpoint::open(path_),
                StatusIs(Code::kRejected, ::testing::HasSubstr("sparse file")));
  });
}

// On request they are taken, and copied once: proving index and table takes no second copy. (The
// file's own mapping has the table, too.)
TEST_F(Claims, AreCopiedOnceOnRequest) {
  for (ReadPath path : {ReadPath::kRead, ReadPath::kMapping}) {
    expect_within(bytes_ + 2 * digests_bytes_ + 64 * kMiB, [&] {
      ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint,
                           Checkpoint::open(path_, {.limits = {.max_unbacked_bytes = 129 * kMiB}}));
      ASSERT_OK_AND_ASSIGN(const VerifyReport report,
                           verify(checkpoint, {.level = VerifyLevel::kIndex, .path = path}));
      EXPECT_TRUE(report.intact());
      EXPECT_EQ(report.path, path);
    });
  }
}

// What takes its space on the medium is not limited by that.
TEST_F(HugeFile, WhatIsThereIsNoClaim) {
  expect_within(256 * kMiB, [this] {
    EXPECT_OK(Checkpoint::open(path_, {.limits = {.max_unbacked_bytes = 0}}));
  });
}

}  // namespace
}  // namespace ingot::testing
