// Small parts: paths, sibling names, aligned buffers, the registry of mappings, errno.
#include <sys/mman.h>

#include <cerrno>
#include <set>
#include <thread>
#include <vector>

#include "io/aligned_buffer.h"
#include "io/file_system.h"
#include "io/mapping_registry.h"
#include "io/os_error.h"
#include "io/sibling.h"
#include "tests/support/status_matchers.h"

namespace ingot::io {
namespace {

using ::ingot::testing::StatusIs;

TEST(PathTest, FolderAndName) {
  EXPECT_EQ(folder_of("model"), ".");
  EXPECT_EQ(folder_of("runs/model"), "runs");
  EXPECT_EQ(folder_of("/model"), "/");
  EXPECT_EQ(folder_of("/a/b/c"), "/a/b");
  EXPECT_EQ(folder_of(""), ".");
  EXPECT_EQ(name_of("model"), "model");
  EXPECT_EQ(name_of("runs/model"), "model");
  EXPECT_EQ(name_of("runs/"), "");
}

TEST(PathTest, JoinNamesTheSameFile) {
  for (const char* path : {"model", "runs/model", "/model", "/a/b/c", "../x"}) {
    EXPECT_EQ(join(folder_of(path), name_of(path)), path);
  }
  EXPECT_EQ(join("runs/", "model"), "runs/model");
}

TEST(SiblingTest, SiblingsAreHiddenFilesOfTheSameFolder) {
  const std::string sibling = random_sibling("runs/model.ingot");
  EXPECT_EQ(folder_of(sibling), "runs");
  EXPECT_TRUE(name_of(sibling).starts_with(".model.ingot.tmp."));
  EXPECT_TRUE(is_sibling("runs/model.ingot", name_of(sibling)));
  EXPECT_EQ(folder_of(random_sibling("model")), ".");
}

TEST(SiblingTest, NamesAreFresh) {
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) names.insert(random_sibling("model"));
  EXPECT_EQ(names.size(), 100U);
}

TEST(SiblingTest, OthersAreNotSiblings) {
  const std::string hex = "0123456789abcdef";
  EXPECT_TRUE(is_sibling("a/model", ".model.tmp." + hex));
  EXPECT_FALSE(is_sibling("a/model", "model.tmp." + hex));
  EXPECT_FALSE(is_sibling("a/model", ".model2.tmp." + hex));
  EXPECT_FALSE(is_sibling("a/model", ".model.tmp." + hex + "0"));
  EXPECT_FALSE(is_sibling("a/model", ".model.tmp.0123456789abcdeF"));
  EXPECT_FALSE(is_sibling("a/model", ".model.tmp."));
  EXPECT_FALSE(is_sibling("a/model", ".model.tmp." + hex + ".tmp." + hex));
  EXPECT_FALSE(is_sibling("a/model", "model"));
}

TEST(SiblingTest, LongNamesHaveSiblingsToo) {
  const std::string path(255, 'x');
  EXPECT_LE(random_sibling(path).size(), 255U);
  EXPECT_TRUE(is_sibling(path, random_sibling(path)));
}

TEST(OsErrorTest, CodesOfErrno) {
  EXPECT_EQ(code_of_errno(ENOENT), Code::kNotFound);
  EXPECT_EQ(code_of_errno(EEXIST), Code::kAlreadyExists);
  for (const int number : {ENOSPC, EDQUOT, EFBIG, ENOMEM}) {
    EXPECT_EQ(code_of_errno(number), Code::kResourceExhausted) << number;
  }
  for (const int number : {EOPNOTSUPP, ENOSYS, ENOLCK}) {
    EXPECT_EQ(code_of_errno(number), Code::kUnsupported) << number;
  }
  for (const int number : {EIO, EACCES, EROFS, EBADF, ESTALE}) {
    EXPECT_EQ(code_of_errno(number), Code::kIoError) << number;
  }
}

TEST(AlignedBufferTest, IsZeroedAlignedAndWritable) {
  for (const std::uint64_t bytes : {1UL, 4095UL, 4096UL, 100'000UL, (2UL << 20), (5UL << 20) + 3}) {
    ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(bytes));
    EXPECT_EQ(buffer.size(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 4096, 0U);
    EXPECT_EQ(first_nonzero(buffer.bytes()), bytes);
    std::ranges::fill(buffer.bytes(), std::byte{1});
  }
}

TEST(AlignedBufferTest, Empty) {
  ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(0));
  EXPECT_TRUE(buffer.bytes().empty());
}

TEST(AlignedBufferTest, NoMemoryIsAnError) {
  EXPECT_THAT(AlignedBuffer::allocate(std::uint64_t{1} << 50), StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(AlignedBuffer::allocate(~std::uint64_t{0}), StatusIs(Code::kResourceExhausted));
}

TEST(AlignedBufferTest, GivesAllOfItsMemoryBack) {
  for (const std::uint64_t bytes : {100'000UL, (5UL << 20) + 3}) {
    std::byte* data = nullptr;
    {
      ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(bytes));
      data = buffer.data();
    }
    // ENOMEM: no mapping there any more.
    for (std::byte* page = data; page < data + bytes; page += 4096) {
      unsigned char resident = 0;
      ASSERT_EQ(::mincore(page, 1, &resident), -1);
    }
  }
}

TEST(AlignedBufferTest, MovesHandTheMemoryOver) {
  ASSERT_OK_AND_ASSIGN(AlignedBuffer first, AlignedBuffer::allocate(100));
  std::byte* data = first.data();
  AlignedBuffer second = std::move(first);
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(first.data(), nullptr);  // NOLINT(bugprone-use-after-move)
  ASSERT_OK_AND_ASSIGN(AlignedBuffer third, AlignedBuffer::allocate(200));
  third = std::move(second);
  EXPECT_EQ(third.data(), data);
  EXPECT_EQ(third.size(), 100U);
}

TEST(MappingRegistryTest, RangesAreHalfOpen) {
  std::vector<std::byte> bytes(100);
  register_mapping(bytes.data(), bytes.size());
  EXPECT_TRUE(is_registered_mapping(bytes.data()));
  EXPECT_TRUE(is_registered_mapping(bytes.data() + 99));
  EXPECT_FALSE(is_registered_mapping(bytes.data() + 100));
  EXPECT_FALSE(is_registered_mapping(bytes.data() - 1));
  EXPECT_FALSE(is_registered_mapping(nullptr));
  unregister_mapping(bytes.data());
  EXPECT_FALSE(is_registered_mapping(bytes.data()));
}

TEST(MappingRegistryTest, BeyondItsCapacityItForgets) {
  std::vector<std::byte> bytes(kMaxRegisteredMappings + 1);
  for (std::byte& byte : bytes) register_mapping(&byte, 1);
  EXPECT_TRUE(is_registered_mapping(&bytes[kMaxRegisteredMappings - 1]));
  EXPECT_FALSE(is_registered_mapping(&bytes[kMaxRegisteredMappings]));
  for (std::byte& byte : bytes) unregister_mapping(&byte);
  register_mapping(&bytes[0], 1);  // and has room again
  EXPECT_TRUE(is_registered_mapping(&bytes[0]));
  unregister_mapping(&bytes[0]);
}

TEST(MappingRegistryTest, ThreadsShareIt) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      std::byte byte{};
      for (int round = 0; round < 2000; ++round) {
        register_mapping(&byte, 1);
        EXPECT_TRUE(is_registered_mapping(&byte));
        unregister_mapping(&byte);
        EXPECT_FALSE(is_registered_mapping(&byte));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ingot::io
