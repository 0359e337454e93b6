// verify(): what it reads, what it finds, and how it reports.
#include "ingot/verify.h"

#include <algorithm>
#include <mutex>

#include "ingot/bus_guard.h"

#include "format/digest.h"
#include "format/header.h"
#include "io/memory_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::HasSubstr;

class VerifyTest : public ::testing::TestWithParam<ReadPath> {
 protected:
  void SetUp() override { write(quick_options()); }
  void write(const WriterOptions& options) {
    ASSERT_OK(write_sample(path_, plan_, options));
    checkpoint_ = std::make_unique<Checkpoint>(*Checkpoint::open(path_));
    if (GetParam() != ReadPath::kDirect) return;
    const auto direct = verify(*checkpoint_, {.path = ReadPath::kDirect});
    if (direct.status().code() == Code::kUnsupported) GTEST_SKIP() << direct.status().message();
  }
  VerifyReport run(VerifyOptions options = {}) {
    options.path = GetParam();
    Result<VerifyReport> report = verify(*checkpoint_, options);
    EXPECT_OK(report);
    return report.ok() ? *report : VerifyReport{};
  }
  TensorInfo info(std::string_view name) const { return *checkpoint_->find(name); }
  void damage(std::string_view name, std::uint64_t at) {
    flip_bit(path_, offset_of(*checkpoint_, info(name)) + at);
  }
  static std::vector<std::string> tensors(const VerifyReport& report) {
    std::vector<std::string> names;
    for (const Status& error : report.errors) names.push_back(error.location().tensor);
    return names;
  }

  WritePlan plan_ = mixed_plan();
  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
  std::unique_ptr<Checkpoint> checkpoint_;
};

INSTANTIATE_TEST_SUITE_P(Paths, VerifyTest,
                         ::testing::Values(ReadPath::kRead, ReadPath::kMapping, ReadPath::kDirect),
                         [](const auto& path) { return std::string(read_path_name(path.param)); });

TEST_P(VerifyTest, ReadsEveryByteOfAnIntactFile) {
  for (int threads : {1, 2, 7}) {
    const VerifyReport report = run({.threads = threads});
    EXPECT_TRUE(report.intact());
    EXPECT_EQ(report.bytes, checkpoint_->file().file_bytes);
    EXPECT_EQ(report.chunks, checkpoint_->chunk_count());
    EXPECT_EQ(report.path, GetParam());
    EXPECT_FALSE(report.reason.empty());
    EXPECT_LE(report.threads, threads);
    EXPECT_GT(report.seconds, 0);
  }
}

TEST_P(VerifyTest, IndexLevelReadsNoData) {
  damage("embed.weight", 0);
  const VerifyReport report = run({.level = VerifyLevel::kIndex});
  EXPECT_TRUE(report.intact());
  EXPECT_EQ(report.chunks, 0U);
  EXPECT_EQ(report.bytes, checkpoint_->file().file_bytes - (checkpoint_->file().data_end - 4096));
}

TEST_P(VerifyTest, NamesTheDamagedChunk) {
  const StorageInfo storage = checkpoint_->storage(info("adam/exp_avg").storage);
  damage("adam/exp_avg", 131072);
  const VerifyReport report = run();
  ASSERT_EQ(report.error_count, 1U);
  const Location& at = report.errors.at(0).location();
  EXPECT_EQ(report.errors[0].code(), Code::kChecksumMismatch);
  EXPECT_EQ(at.region, Region::kData);
  EXPECT_EQ(at.tensor, "adam/exp_avg");
  EXPECT_EQ(at.chunk, 2U);
  EXPECT_EQ(at.begin, storage.offset + 131072);
  EXPECT_EQ(at.end, storage.offset + 196608);
  EXPECT_THAT(std::string(report.errors[0].message()),
              HasSubstr(to_string(checkpoint_->chunk_digest(storage.first_chunk + 2))));
}

TEST_P(VerifyTest, StopsAtTheFirstErrorInFileOrder) {
  for (const char* name : {"quantised", "adam/exp_avg", "embed.weight"}) damage(name, 5);
  for (int threads : {1, 4}) {
    const VerifyReport report = run({.threads = threads});
    EXPECT_EQ(report.error_count, 1U);
    EXPECT_THAT(tensors(report), ::testing::ElementsAre("embed.weight"));
  }
}

TEST_P(VerifyTest, KeepGoingFindsEverythingInFileOrder) {
  for (const char* name : {"steps", "quantised", "adam/exp_avg", "embed.weight"}) damage(name, 5);
  damage("embed.weight", 200000);
  const VerifyReport report = run({.threads = 3, .keep_going = true});
  EXPECT_EQ(report.error_count, 5U);
  EXPECT_THAT(tensors(report), ::testing::ElementsAre("embed.weight", "embed.weight", "quantised",
                                                      "adam/exp_avg", "steps"));
  EXPECT_TRUE(std::ranges::is_sorted(report.errors, {},
                                     [](const Status& s) { return s.location().begin; }));
  EXPECT_EQ(report.bytes, checkpoint_->file().file_bytes);
}

TEST_P(VerifyTest, KeepsTheFirstErrorsAndCountsTheRest) {
  for (const char* name : {"steps", "quantised", "adam/exp_avg", "embed.weight"}) damage(name, 5);
  const VerifyReport report = run({.threads = 3, .keep_going = true, .max_errors = 2});
  EXPECT_EQ(report.error_count, 4U);
  EXPECT_THAT(tensors(report), ::testing::ElementsAre("embed.weight", "quantised"));
  EXPECT_EQ(run({.keep_going = true, .max_errors = 0}).error_count, 4U);
}

TEST_P(VerifyTest, NamesOwnersOfStoragesWithoutATensor) {
  const Quantization scales = *info("quantised").quantization;
  flip_bit(path_, checkpoint_->storage(scales.zero_points_storage).offset);
  flip_bit(path_,
           checkpoint_->storage(checkpoint_->find_attachment("config.json")->storage).offset);
  EXPECT_THAT(tensors(run({.keep_going = true})),
              ::testing::ElementsAre("quantised", "config.json"));
}

TEST_P(VerifyTest, OnlyTheNamedTensors) {
  damage("adam/exp_avg", 5);
  const VerifyReport fine = run({.tensors = {"embed.weight", "head.tail", "steps", "none"}});
  EXPECT_TRUE(fine.intact());
  EXPECT_EQ(fine.bytes, info("embed.weight").bytes + 8);
  EXPECT_EQ(fine.chunks, 5U);
  EXPECT_THAT(tensors(run({.tensors = {"steps", "adam/exp_avg"}})),
              ::testing::ElementsAre("adam/exp_avg"));
}

TEST_P(VerifyTest, NamedTensorsBringTheirScales) {
  flip_bit(path_, checkpoint_->storage(info("quantised").quantization->scales_storage).offset);
  EXPECT_EQ(run({.tensors = {"quantised"}}).error_count, 1U);
  EXPECT_TRUE(run({.tensors = {"packed"}}).intact());
}

TEST_P(VerifyTest, NamedAttachments) { EXPECT_EQ(run({.tensors = {"config.json"}}).bytes, 1234U); }

TEST_P(VerifyTest, UnknownName) {
  EXPECT_THAT(verify(*checkpoint_, {.path = GetParam(), .tensors = {"embed.weight", "nope"}}),
              StatusIs(Code::kNotFound, HasSubstr("nope")));
}

// F-19
TEST_P(VerifyTest, PaddingBetweenStorages) {
  for (std::uint32_t i = 0; i + 1 < checkpoint_->storage_count(); ++i) {
    const StorageInfo storage = checkpoint_->storage(i);
    const std::uint64_t end = storage.offset + storage.bytes;
    if (end == checkpoint_->storage(i + 1).offset) continue;
    flip_bit(path_, end, 6);
    const VerifyReport report = run();
    ASSERT_EQ(report.error_count, 1U);
    EXPECT_THAT(report.errors[0], StatusIs(Code::kCorrupt, HasSubstr("found 0x40")));
    EXPECT_EQ(report.errors[0].location().region, Region::kPadding);
    EXPECT_EQ(report.errors[0].location().begin, end);
    flip_bit(path_, end, 6);
  }
}

// The medium may lose what open() saw.
TEST_P(VerifyTest, MetadataIsReadAgain) {
  const std::uint64_t end = checkpoint_->file().file_bytes;
  const std::uint64_t index_bytes = checkpoint_->file().index_bytes;
  const std::uint64_t index = end - 4096 - (index_bytes + 4095) / 4096 * 4096;
  const std::pair<std::uint64_t, Region> places[] = {
      {200, Region::kHeader},           {index - 4096, Region::kDigestTable},
      {index + 77, Region::kIndex},     {index + index_bytes, Region::kPadding},
      {end - 1, Region::kSecondHeader},
  };
  for (const auto& [offset, region] : places) {
    flip_bit(path_, offset);
    for (VerifyLevel level : {VerifyLevel::kIndex, VerifyLevel::kFull}) {
      const VerifyReport report = run({.level = level});
      ASSERT_EQ(report.error_count, 1U) << region_name(region);
      EXPECT_THAT(report.errors[0], StatusIs(Code::kCorrupt));
      EXPECT_EQ(report.errors[0].location().region, region);
      EXPECT_EQ(report.errors[0].location().begin, offset);
    }
    flip_bit(path_, offset);
  }
}

struct Steps {
  std::vector<std::uint64_t> done;
  std::uint64_t total = 0;
  std::mutex busy;
  CancelFlag* cancel = nullptr;

  static void call(void* context, std::uint64_t done, std::uint64_t total) {
    Steps& steps = *static_cast<Steps*>(context);
    ASSERT_TRUE(steps.busy.try_lock()) << "two calls at once";
    steps.done.push_back(done);
    steps.total = total;
    if (steps.cancel != nullptr) steps.cancel->store(true);
    steps.busy.unlock();
  }
};

TEST_P(VerifyTest, TellsItsProgress) {
  Steps steps;
  run({.threads = 4, .progress = {&Steps::call, &steps}});
  EXPECT_EQ(steps.total, checkpoint_->file().file_bytes);
  ASSERT_FALSE(steps.done.empty());
  EXPECT_TRUE(std::ranges::is_sorted(steps.done));
  EXPECT_EQ(steps.done.back(), steps.total);
}

TEST_P(VerifyTest, Cancelled) {
  CancelFlag cancel = true;
  EXPECT_THAT(verify(*checkpoint_, {.path = GetParam(), .cancel = &cancel}),
              StatusIs(Code::kCancelled, HasSubstr(path_)));
  Steps steps;
  cancel = false;
  steps.cancel = &cancel;
  EXPECT_THAT(verify(*checkpoint_,
                     {.path = GetParam(), .progress = {&Steps::call, &steps}, .cancel = &cancel}),
              StatusIs(Code::kCancelled));
}

TEST_P(VerifyTest, NegativeThreads) {
  EXPECT_THAT(verify(*checkpoint_, {.threads = -1}), StatusIs(Code::kInvalidArgument));
}

// F-16, F-23: XXH3 alone would accept what a forger recomputed.
// What kAuto and kFastest take: by what is in memory, and whether a truncation is covered.
class VerifyAutoTest : public ::testing::Test {
 protected:
  void open(const WritePlan& plan, const io::MemoryFileSystem::Features& features) {
    ASSERT_OK(write_sample(path_, plan));
    memory_.put("f", read_file(path_));
    memory_.set_features(features);
    ASSERT_OK_AND_ASSIGN(Checkpoint opened, Checkpoint::open("f", {.file_system = &memory_}));
    checkpoint_ = std::make_unique<Checkpoint>(std::move(opened));
  }
  VerifyReport run(VerifyOptions options = {}) {
    Result<VerifyReport> report = verify(*checkpoint_, options);
    EXPECT_OK(report);
    return report.ok() ? *report : VerifyReport{};
  }
  static WritePlan large() {
    WritePlan plan;
    plan.add({.name = "t", .shape = {1000, 1000}});
    plan.add({.name = "u", .shape = {10}});
    return plan;
  }

  Scratch scratch_;
  std::string path_ = scratch_.path("f");
  io::MemoryFileSystem memory_;
  std::unique_ptr<Checkpoint> checkpoint_;
};

TEST_F(VerifyAutoTest, WhatIsNotInMemoryIsReadPastThePageCache) {
  open(large(), {.direct = true, .cold = true});
  const VerifyReport report = run({.path = ReadPath::kFastest});
  EXPECT_TRUE(report.intact());
  EXPECT_EQ(report.bytes, checkpoint_->file().file_bytes);
  EXPECT_EQ(report.path, ReadPath::kDirect);
  EXPECT_THAT(report.reason, HasSubstr("0 % of it is in memory"));
  ASSERT_OK_AND_ASSIGN(const BusGuard guard, BusGuard::install());
  EXPECT_EQ(run({.path = ReadPath::kFastest}).path, ReadPath::kDirect);
}

TEST_F(VerifyAutoTest, WhatIsInMemoryIsReadFromThere) {
  open(large(), {.direct = true});
  VerifyReport report = run({.path = ReadPath::kFastest});
  EXPECT_EQ(report.path, ReadPath::kRead);
  EXPECT_THAT(report.reason, HasSubstr("100 % of it is in memory; without a BusGuard"));
  ASSERT_OK_AND_ASSIGN(const BusGuard guard, BusGuard::install());
  report = run({.path = ReadPath::kFastest});
  EXPECT_TRUE(report.intact());
  EXPECT_EQ(report.path, ReadPath::kMapping);
  EXPECT_THAT(report.reason, HasSubstr("100 % of it is in memory; a BusGuard covers"));
}

TEST_F(VerifyAutoTest, WithoutDirectIoItIsReadAsItComes) {
  open(large(), {.direct = false, .cold = true});
  const VerifyReport report = run({.path = ReadPath::kFastest});
  EXPECT_TRUE(report.intact());
  EXPECT_EQ(report.path, ReadPath::kRead);
  EXPECT_THAT(report.reason, HasSubstr("0 % of it is in memory; without a BusGuard"));
}

// Views come next, and want the pages.
TEST_F(VerifyAutoTest, AutoBringsThePagesIn) {
  open(large(), {.direct = true, .cold = true});
  EXPECT_EQ(run().path, ReadPath::kRead);
  ASSERT_OK_AND_ASSIGN(const BusGuard guard, BusGuard::install());
  EXPECT_EQ(run().path, ReadPath::kMapping);
}

// Not worth a second descriptor: little of a file, the index that open() has just read.
TEST_F(VerifyAutoTest, LittleIsReadAsItComes) {
  open(large(), {.direct = true, .cold = true});
  EXPECT_EQ(run({.path = ReadPath::kFastest, .tensors = {"u"}}).path, ReadPath::kRead);
  EXPECT_EQ(run({.path = ReadPath::kFastest, .tensors = {"t"}}).path, ReadPath::kDirect);
  EXPECT_EQ(run({.level = VerifyLevel::kIndex, .path = ReadPath::kFastest}).path, ReadPath::kRead);
}

TEST_F(VerifyAutoTest, ASmallFileIsReadAsItComes) {
  open(mixed_plan(), {.direct = true, .cold = true});
  EXPECT_EQ(run({.path = ReadPath::kFastest}).path, ReadPath::kRead);
}

class VerifySha256Test : public VerifyTest {
 protected:
  void SetUp() override {
    WriterOptions options = quick_options();
    options.sha256 = true;
    options.chunk_bytes = std::uint64_t{2} << 20;  // longer than a piece
    plan_.add({.name = "large", .shape = {1000, 1000}});
    write(options);
  }
  // Changes the file's bytes and every XXH3 digest that covers them; and the SHA-256 root, if told.
  void forge(const std::function<void(std::span<std::byte> file, format::Header& header)>& edit,
             bool root = false) {
    Blob file = read_file(path_);
    format::Header header =
        *format::decode_header(std::span(file).first(4096), path_, Region::kHeader);
    edit(file, header);
    const auto digest = [&](std::uint64_t offset, std::uint64_t bytes) {
      return format::xxh3_128(std::span(file).subspan(offset, bytes));
    };
    header.digests_digest = digest(header.digests_offset, header.digests_bytes);
    header.index_digest = digest(header.index_offset, header.index_bytes);
    if (root) {
      const std::uint64_t column = header.chunk_count() * 16;
      header.root_sha256 = format::compute_root_sha256(
          header, format::sha256(std::span(file).subspan(header.index_offset, header.index_bytes)),
          format::sha256(std::span(file).subspan(header.digests_offset + column, column * 2)));
    }
    const format::HeaderPage page = format::encode_header(header);
    std::ranges::copy(page, file.begin());
    std::ranges::copy(page, file.end() - 4096);
    write_file(path_, file);
    checkpoint_ = std::make_unique<Checkpoint>(*Checkpoint::open(path_));
  }
};

INSTANTIATE_TEST_SUITE_P(Paths, VerifySha256Test,
                         ::testing::Values(ReadPath::kRead, ReadPath::kMapping, ReadPath::kDirect),
                         [](const auto& path) { return std::string(read_path_name(path.param)); });

TEST_P(VerifySha256Test, IntactFile) { EXPECT_TRUE(run().intact()); }

TEST_P(VerifySha256Test, ForgedData) {
  const Blob intact = read_file(path_);
  for (const char* name : {"embed.weight", "large"}) {
    write_file(path_, intact);
    const TensorInfo tensor = info(name);
    const StorageInfo storage = checkpoint_->storage(tensor.storage);
    const std::uint64_t last = storage.chunks - 1;
    const std::uint64_t begin = last * checkpoint_->file().chunk_bytes;
    forge(
        [&](std::span<std::byte> file, format::Header& header) {
          const auto chunk = file.subspan(storage.offset + begin, storage.bytes - begin);
          chunk[99] ^= std::byte{1};
          const Digest128 digest = format::xxh3_128(chunk);
          const std::uint64_t entry = header.digests_offset + (storage.first_chunk + last) * 16;
          store_le(file, entry, digest.low);
          store_le(file, entry + 8, digest.high);
        },
        /*root=*/true);
    const VerifyReport report = run();
    ASSERT_EQ(report.error_count, 1U);
    EXPECT_THAT(report.errors[0], StatusIs(Code::kChecksumMismatch, HasSubstr("F-23: SHA-256")));
    EXPECT_EQ(report.errors[0].location().tensor, name);
  }
}

TEST_P(VerifySha256Test, ForgedRoot) {
  forge([](std::span<std::byte>, format::Header& header) { header.root_sha256[5] ^= 1; });
  const VerifyReport report = run();
  ASSERT_EQ(report.error_count, 1U);
  EXPECT_THAT(report.errors[0], StatusIs(Code::kCorrupt, HasSubstr("F-16")));
}

TEST_P(VerifySha256Test, ForgedColumn) {
  forge([](std::span<std::byte> file, format::Header& header) {
    file[header.digests_offset + header.digests_bytes - 1] ^= std::byte{1};
  });
  const VerifyReport report = run({.keep_going = true});
  ASSERT_EQ(report.error_count, 2U);  // the root over the column, and the chunk
}

}  // namespace
}  // namespace ingot::testing
