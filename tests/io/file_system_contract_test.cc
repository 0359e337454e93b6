// What every file system promises, run over the real one and over the doubles: a test that passes
// on a double means something only as far as the double behaves like the kernel.
#include <cerrno>

#include "base/checked.h"
#include "io/aligned_buffer.h"
#include "tests/io/io_testing.h"

namespace ingot::io {
namespace {

using ::ingot::testing::IsOk;
using ::ingot::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FileSystemContract : public ::testing::TestWithParam<PlaceKind> {
 protected:
  void SetUp() override {
    if (!place_.available()) GTEST_SKIP() << "there is no such place on this machine";
  }

  FileSystem& files() { return place_.files(); }
  std::string path(std::string_view name) const { return place_.path(name); }
  std::unique_ptr<File> create(std::string_view name, Bytes content = {}) {
    return create_file(files(), path(name), content);
  }
  std::unique_ptr<File> open(std::string_view name, Access access = Access::kRead) {
    auto file = files().open(path(name), access);
    EXPECT_OK(file);
    return file.ok() ? *std::move(file) : nullptr;
  }
  std::vector<std::byte> content(std::string_view name) { return content_of(files(), path(name)); }
  std::vector<std::string> names() {
    auto names = files().list(place_.folder());
    EXPECT_OK(names);
    return names.ok() ? *names : std::vector<std::string>();
  }

  Place place_{GetParam()};
};

TEST_P(FileSystemContract, OpenOfAMissingFile) {
  const auto file = files().open(path("missing"), Access::kRead);
  EXPECT_THAT(file, StatusIs(Code::kNotFound, HasSubstr("missing")));
  EXPECT_EQ(file.status().os_error(), ENOENT);
}

TEST_P(FileSystemContract, CreateExclusiveOfATakenName) {
  create("file", pattern(10));
  EXPECT_THAT(files().create_exclusive(path("file")), StatusIs(Code::kAlreadyExists));
  EXPECT_EQ(content("file"), pattern(10));
}

TEST_P(FileSystemContract, WrittenBytesComeBack) {
  const auto bytes = pattern(3 * 4096 + 123);
  create("file", bytes);
  EXPECT_EQ(content("file"), bytes);
}

TEST_P(FileSystemContract, WritesAtOffsetsLeaveTheRestAlone) {
  auto bytes = pattern(10'000);
  auto file = create("file", bytes);
  const auto patch = pattern(5000, 2);
  ASSERT_OK(write_all(*file, 3000, patch));
  std::copy(patch.begin(), patch.end(), bytes.begin() + 3000);
  EXPECT_EQ(content("file"), bytes);
}

TEST_P(FileSystemContract, HolesReadAsZeros) {
  auto file = create("file");
  ASSERT_OK(write_all(*file, 20'000, pattern(10)));
  std::vector<std::byte> hole(20'000, std::byte{1});
  ASSERT_OK(read_exact(*file, 0, hole));
  EXPECT_EQ(first_nonzero(hole), hole.size());
}

TEST_P(FileSystemContract, HolesAreNotAllocated) {
  auto file = create("file");
  ASSERT_OK(file->resize(1 << 20));
  EXPECT_EQ(file->stat()->allocated_bytes, 0U);
  ASSERT_OK(write_all(*file, 65'536, pattern(65'536)));
  EXPECT_GE(file->stat()->allocated_bytes, 65'536U);
  EXPECT_LT(file->stat()->allocated_bytes, 1U << 20);
}

TEST_P(FileSystemContract, ReadsEndWithTheFile) {
  auto file = create("file", pattern(100));
  std::vector<std::byte> bytes(50);
  EXPECT_EQ(*file->read_some(70, bytes), 30U);
  EXPECT_EQ(*file->read_some(100, bytes), 0U);
  EXPECT_EQ(*file->read_some(1'000'000, bytes), 0U);
}

TEST_P(FileSystemContract, ResizeGrowsWithZerosAndShrinks) {
  auto file = create("file", pattern(5000));
  ASSERT_OK(file->resize(4100));
  ASSERT_OK(file->resize(9000));
  auto expected = pattern(5000);
  expected.resize(4100);
  expected.resize(9000);
  EXPECT_EQ(content("file"), expected);
}

TEST_P(FileSystemContract, AllocateSetsTheLength) {
  auto file = create("file", pattern(100));
  ASSERT_OK(file->allocate(10'000));
  auto expected = pattern(100);
  expected.resize(10'000);
  EXPECT_EQ(content("file"), expected);
  ASSERT_OK(file->allocate(50));
  EXPECT_EQ(file->stat()->bytes, 50U);
  ASSERT_OK(file->allocate(0));
  EXPECT_EQ(file->stat()->bytes, 0U);
}

TEST_P(FileSystemContract, PermissionsComeBack) {
  auto file = create("file", pattern(123));
  for (const std::uint32_t permissions : {0600U, 0751U}) {
    ASSERT_OK(file->set_permissions(permissions));
    EXPECT_EQ(file->stat()->permissions, permissions);
    EXPECT_EQ(files().stat_name(path("file"))->permissions, permissions);
  }
}

TEST_P(FileSystemContract, NamesTellWhatTheyStandFor) {
  create("file", pattern(123));
  ASSERT_OK_AND_ASSIGN(const FileStat stat, files().stat_name(path("file")));
  EXPECT_EQ(stat.kind, NodeKind::kRegular);
  EXPECT_EQ(stat.bytes, 123U);
  EXPECT_EQ(stat.inode, open("file")->stat()->inode);
  EXPECT_THAT(files().stat_name(path("missing")), StatusIs(Code::kNotFound, HasSubstr("missing")));
}

TEST_P(FileSystemContract, ErrorsUseThePathThatWasSet) {
  auto file = create("file");
  file->set_path("another");
  EXPECT_EQ(file->path(), "another");
  ASSERT_OK(file->close());
  EXPECT_THAT(file->resize(1), StatusIs(Code::kIoError, HasSubstr("another: ")));
}

TEST_P(FileSystemContract, StatTellsFilesApart) {
  auto file = create("file", pattern(123));
  auto other = create("other");
  auto again = open("file");
  EXPECT_EQ(file->stat()->bytes, 123U);
  EXPECT_TRUE(file->stat()->regular());
  EXPECT_EQ(file->stat()->links, 1U);
  EXPECT_EQ(file->stat()->inode, again->stat()->inode);
  EXPECT_EQ(file->stat()->device, other->stat()->device);
  EXPECT_NE(file->stat()->inode, other->stat()->inode);
}

TEST_P(FileSystemContract, UnnamedFilesAppearWhenLinked) {
  auto file = files().create_unnamed(place_.folder());
  if (file.status().code() == Code::kUnsupported) GTEST_SKIP() << file.status().to_string();
  ASSERT_OK(write_all(**file, 0, pattern(5000)));
  EXPECT_EQ((*file)->stat()->links, 0U);
  EXPECT_THAT(names(), IsEmpty());
  ASSERT_OK(files().link(**file, path("file")));
  EXPECT_EQ((*file)->stat()->links, 1U);
  EXPECT_EQ(content("file"), pattern(5000));
}

TEST_P(FileSystemContract, LinkNeverReplaces) {
  create("file", pattern(10));
  auto file = files().create_unnamed(place_.folder());
  if (!file.ok()) GTEST_SKIP() << file.status().to_string();
  EXPECT_THAT(files().link(**file, path("file")), StatusIs(Code::kAlreadyExists));
  EXPECT_EQ(content("file"), pattern(10));
}

TEST_P(FileSystemContract, UnnamedFilesVanish) {
  { auto file = files().create_unnamed(place_.folder()); }
  EXPECT_THAT(names(), IsEmpty());
}

TEST_P(FileSystemContract, RenameReplaces) {
  create("old", pattern(10, 1));
  create("new", pattern(20, 2));
  ASSERT_OK(files().rename(path("new"), path("old")));
  EXPECT_THAT(names(), UnorderedElementsAre("old"));
  EXPECT_EQ(content("old"), pattern(20, 2));
}

TEST_P(FileSystemContract, RenameOfAMissingFile) {
  EXPECT_THAT(files().rename(path("missing"), path("other")), StatusIs(Code::kNotFound));
  EXPECT_THAT(files().rename_no_replace(path("missing"), path("other")), StatusIs(Code::kNotFound));
}

TEST_P(FileSystemContract, RenameNoReplace) {
  create("taken", pattern(10, 1));
  create("new", pattern(20, 2));
  EXPECT_THAT(files().rename_no_replace(path("new"), path("taken")),
              StatusIs(Code::kAlreadyExists));
  EXPECT_EQ(content("taken"), pattern(10, 1));
  EXPECT_EQ(content("new"), pattern(20, 2));
  ASSERT_OK(files().rename_no_replace(path("new"), path("free")));
  EXPECT_THAT(names(), UnorderedElementsAre("taken", "free"));
}

TEST_P(FileSystemContract, Remove) {
  create("file");
  ASSERT_OK(files().remove(path("file")));
  EXPECT_THAT(files().remove(path("file")), StatusIs(Code::kNotFound));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_P(FileSystemContract, OpenFilesOutliveTheirName) {
  auto file = create("file", pattern(100));
  ASSERT_OK(files().remove(path("file")));
  std::vector<std::byte> bytes(100);
  ASSERT_OK(read_exact(*file, 0, bytes));
  EXPECT_EQ(bytes, pattern(100));
  EXPECT_EQ(file->stat()->links, 0U);
}

TEST_P(FileSystemContract, ListAndExists) {
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_FALSE(files().exists(path("a")));
  create("a");
  create(".b");
  EXPECT_THAT(names(), UnorderedElementsAre("a", ".b"));
  EXPECT_TRUE(files().exists(path("a")));
}

TEST_P(FileSystemContract, OneLockAFile) {
  auto first = create("file");
  auto second = open("file");
  ASSERT_OK(first->try_lock());
  EXPECT_OK(first->try_lock()) << "the holder may ask again";
  EXPECT_THAT(second->try_lock(), StatusIs(Code::kAlreadyExists));
  ASSERT_OK(first->close());
  EXPECT_OK(second->try_lock());
  auto third = open("file");
  EXPECT_THAT(third->try_lock(), StatusIs(Code::kAlreadyExists));
  second.reset();
  EXPECT_OK(third->try_lock());
}

TEST_P(FileSystemContract, MappedBytesAreTheFiles) {
  const auto bytes = pattern(10'000);
  auto file = create("file", bytes);
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(0, bytes.size(), MapMode::kReadOnly));
  file.reset();
  EXPECT_OK(mapping->populate(0, bytes.size()));
  EXPECT_TRUE(std::ranges::equal(mapping->bytes(), bytes));
}

TEST_P(FileSystemContract, MappingsMayBeginAnywhere) {
  const auto bytes = pattern(10'000);
  auto file = create("file", bytes);
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(4097, 5000, MapMode::kReadOnly));
  EXPECT_OK(mapping->populate(0, 5000));
  EXPECT_OK(mapping->populate(4999, 1));
  EXPECT_TRUE(std::ranges::equal(mapping->bytes(), Bytes(bytes).subspan(4097, 5000)));
}

TEST_P(FileSystemContract, AlignedMappingsAreAligned) {
  auto file = create("file", pattern(10'000));
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(4096, 5000, MapMode::kReadOnly));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapping->bytes().data()) % 4096, 0U);
}

TEST_P(FileSystemContract, EmptyMappings) {
  auto file = create("file");
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(0, 0, MapMode::kReadOnly));
  EXPECT_TRUE(mapping->bytes().empty());
  EXPECT_OK(mapping->populate(0, 0));
}

TEST_P(FileSystemContract, PopulateStaysInside) {
  auto file = create("file", pattern(10'000));
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(0, 5000, MapMode::kReadOnly));
  EXPECT_THAT(mapping->populate(0, 5001), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(mapping->populate(~std::uint64_t{0}, 2), StatusIs(Code::kInvalidArgument));
}

TEST_P(FileSystemContract, WhatWasBroughtInIsResident) {
  auto file = create("file", pattern(20'000'000));
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(100, 19'000'000, MapMode::kReadOnly));
  ASSERT_OK(mapping->populate(0, 19'000'000));
  ASSERT_OK_AND_ASSIGN(const std::uint64_t all, mapping->resident(0, 19'000'000));
  EXPECT_EQ(all, 19'000'000U);
  ASSERT_OK_AND_ASSIGN(const std::uint64_t part, mapping->resident(18'000'001, 3));
  EXPECT_EQ(part, 3U);
  EXPECT_THAT(mapping->resident(0, 19'000'001), StatusIs(Code::kInvalidArgument));
}

TEST_P(FileSystemContract, PopulateOfATruncatedFile) {
  auto file = create("file", pattern(20'000));
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(0, 20'000, MapMode::kReadOnly));
  ASSERT_OK(file->resize(8192));
  EXPECT_OK(mapping->populate(0, 8192));
  EXPECT_THAT(mapping->populate(0, 20'000),
              StatusIs(Code::kIoError, HasSubstr("the file is shorter than its mapping")));
  const Status status = mapping->populate(8192, 100);
  EXPECT_THAT(status, StatusIs(Code::kIoError, HasSubstr("[8192, 8292)")));
  EXPECT_EQ(status.location().begin, 8192U);
}

TEST_P(FileSystemContract, CopyOnWriteStaysPrivate) {
  auto file = create("file", pattern(5000));
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(0, 5000, MapMode::kCopyOnWrite));
  mapping->bytes()[10] ^= std::byte{0xFF};
  EXPECT_EQ(mapping->bytes()[10], pattern(5000)[10] ^ std::byte{0xFF});
  EXPECT_EQ(content("file"), pattern(5000));
}

TEST_P(FileSystemContract, RenameOverAMappedFileKeepsTheMapping) {
  const auto bytes = pattern(5000);
  auto file = create("file", bytes);
  ASSERT_OK_AND_ASSIGN(auto mapping, file->map(0, bytes.size(), MapMode::kReadOnly));
  create("new", pattern(100, 2));
  ASSERT_OK(files().rename(path("new"), path("file")));
  EXPECT_OK(mapping->populate(0, bytes.size()));
  EXPECT_TRUE(std::ranges::equal(mapping->bytes(), bytes));
}

TEST_P(FileSystemContract, ClosedFilesAnswerWithErrors) {
  auto file = create("file", pattern(10));
  ASSERT_OK(file->close());
  std::vector<std::byte> bytes(1);
  EXPECT_THAT(file->close(), StatusIs(Code::kIoError));
  EXPECT_THAT(file->read_some(0, bytes), StatusIs(Code::kIoError));
  EXPECT_THAT(file->write_some(0, bytes), StatusIs(Code::kIoError));
  EXPECT_THAT(file->sync(), StatusIs(Code::kIoError));
  EXPECT_THAT(file->stat(), StatusIs(Code::kIoError));
}

TEST_P(FileSystemContract, ReadOnlyFilesRefuseWrites) {
  create("file", pattern(10));
  auto file = open("file", Access::kRead);
  EXPECT_THAT(file->write_some(0, pattern(1)), StatusIs(Code::kIoError, HasSubstr("file")));
  EXPECT_FALSE(file->resize(5).ok());
  EXPECT_EQ(content("file"), pattern(10));
}

TEST_P(FileSystemContract, WritesAreSeenThroughOtherOpenFiles) {
  create("file", pattern(10));
  auto reader = open("file");
  auto writer = open("file", Access::kReadWrite);
  ASSERT_OK(write_all(*writer, 0, pattern(10, 2)));
  std::vector<std::byte> bytes(10);
  ASSERT_OK(read_exact(*reader, 0, bytes));
  EXPECT_EQ(bytes, pattern(10, 2));
}

TEST_P(FileSystemContract, SyncsAndAdvice) {
  auto file = create("file", pattern(10'000));
  EXPECT_OK(file->sync());
  EXPECT_OK(files().sync_folder(place_.folder()));
  EXPECT_OK(file->advise(Advice::kSequential, 0, 0));
  EXPECT_OK(file->advise(Advice::kWillNeed, 0, 4096));
  EXPECT_OK(file->advise(Advice::kDontNeed, 0, 4096));
  EXPECT_EQ(content("file"), pattern(10'000));
}

TEST_P(FileSystemContract, FreeBytes) {
  ASSERT_OK_AND_ASSIGN(const std::uint64_t bytes, files().free_bytes(place_.folder()));
  EXPECT_GT(bytes, 0U);
}

TEST_P(FileSystemContract, DirectFilesAreTheSameFile) {
  auto file = create("file", pattern(8192));
  auto direct = file->reopen_direct();
  if (!direct.ok()) {
    EXPECT_THAT(direct, StatusIs(Code::kUnsupported, HasSubstr("O_DIRECT")));
    return;
  }
  EXPECT_EQ((*direct)->stat()->inode, file->stat()->inode);
  const DirectAlignment alignment = (*direct)->direct_alignment();
  EXPECT_TRUE(is_power_of_two(alignment.memory));
  EXPECT_TRUE(is_power_of_two(alignment.offset));
  ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(8192));
  ASSERT_OK(read_exact(**direct, 0, buffer.bytes()));
  EXPECT_TRUE(std::ranges::equal(buffer.bytes(), pattern(8192)));
}

TEST_P(FileSystemContract, UnnamedFilesHaveDirectFilesToo) {
  auto file = files().create_unnamed(place_.folder());
  if (!file.ok()) GTEST_SKIP() << file.status().to_string();
  auto direct = (*file)->reopen_direct();
  if (!direct.ok()) {
    EXPECT_THAT(direct, StatusIs(Code::kUnsupported, HasSubstr("O_DIRECT")));
    return;
  }
  ASSERT_OK_AND_ASSIGN(const AlignedBuffer buffer, AlignedBuffer::allocate(8192));
  std::ranges::copy(pattern(8192), buffer.bytes().begin());
  ASSERT_OK(write_all(**direct, 0, buffer.bytes()));
  ASSERT_OK(files().link(**file, path("file")));
  EXPECT_EQ(content("file"), pattern(8192));
}

INSTANTIATE_TEST_SUITE_P(Places, FileSystemContract,
                         ::testing::Values(PlaceKind::kDisk, PlaceKind::kSharedMemory,
                                           PlaceKind::kMemory, PlaceKind::kFaultOverMemory),
                         [](const auto& tested) { return place_name(tested.param); });

}  // namespace
}  // namespace ingot::io
