// SQLite's I/O error loop over conversions: call N fails, for every N, and nothing half-done stays.
#include <cerrno>
#include <filesystem>

#include "io/fault_file_system.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/samples.h"
#include "tools/convert/export.h"
#include "tools/convert/import.h"

namespace ingot::tools {
namespace {

using ::ingot::testing::names_in;
using ::ingot::testing::pattern;
using ::ingot::testing::read_file;
using ::ingot::testing::SafetensorsFile;
using ::ingot::testing::Scratch;
using ::testing::Contains;
using ::testing::Not;

constexpr std::uint64_t kMostCalls = 2000;

class ConvertFaults : public ::testing::TestWithParam<io::Fault> {
 protected:
  ConvertFaults() {
    SafetensorsFile()
        .metadata("format", "pt")
        .tensor("a", "U8", {100'000}, pattern(100'000))
        .tensor("b", "F32", {3}, pattern(12))
        .write(path("in.safetensors"));
    original_ = read_file(path("in.safetensors"));
  }
  std::string path(std::string_view name) const { return scratch_.path(name); }

  // Runs `convert` with call 0, 1, ... going wrong until one run meets no fault. What fails leaves
  // nothing; what succeeds is whole.
  template <typename Function, typename Check>
  void for_every_call(Function convert, const std::string& out, Check check) {
    for (std::uint64_t n = 0; n < kMostCalls; ++n) {
      SCOPED_TRACE(n);
      io::Fault fault = GetParam();
      fault.at = n;
      faults_.set_fault(fault);
      const Status status = convert();
      const bool fired = faults_.fired();
      faults_.clear();
      if (status.ok()) {
        check();
      } else if (status.code() != Code::kCommitUncertain) {
        EXPECT_THAT(names_in(scratch_.folder()), Not(Contains(out))) << status.to_string();
      }
      for (const std::string& name : names_in(scratch_.folder())) {
        // A sibling may stay when its removal is what failed; never under the real name.
        if (name == out || name.find(".tmp.") != std::string::npos) {
          std::filesystem::remove(path(name));
        }
      }
      if (!fired) return;
    }
    FAIL() << "more calls than expected";
  }

  Scratch scratch_;
  std::string original_;
  io::FaultFileSystem faults_{io::posix()};
};

TEST_P(ConvertFaults, Import) {
  ImportOptions options;
  options.writer.file_system = &faults_;
  for_every_call(
      [&] {
        return import_safetensors(path("in.safetensors"), path("out.ingot"), options).status();
      },
      "out.ingot",
      [&] {
        ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path("out.ingot")));
        EXPECT_OK(export_safetensors(checkpoint, path("back.safetensors"),
                                     {.replace = true, .durable = false})
                      .status());
        EXPECT_EQ(read_file(path("back.safetensors")), original_);
      });
}

TEST_P(ConvertFaults, Export) {
  ASSERT_OK(import_safetensors(path("in.safetensors"), path("model.ingot"), {}).status());
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path("model.ingot")));
  for_every_call(
      [&] {
        return export_safetensors(checkpoint, path("out.safetensors"), {.file_system = &faults_})
            .status();
      },
      "out.safetensors", [&] { EXPECT_EQ(read_file(path("out.safetensors")), original_); });
}

// The same with O_DIRECT, where the scratch folder's file system has it.
TEST_P(ConvertFaults, DirectExport) {
  SafetensorsFile()
      .tensor("w", "U8", {5'000'001}, pattern(5'000'001))
      .write(path("large.safetensors"));
  original_ = read_file(path("large.safetensors"));
  ASSERT_OK(import_safetensors(path("large.safetensors"), path("model.ingot"), {}).status());
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path("model.ingot")));
  for_every_call(
      [&] {
        return export_safetensors(checkpoint, path("out.safetensors"),
                                  {.direct_from_bytes = 1, .file_system = &faults_})
            .status();
      },
      "out.safetensors", [&] { EXPECT_EQ(read_file(path("out.safetensors")), original_); });
}

io::Fault fails(int os_error, bool forever) {
  io::Fault fault;
  fault.os_error = os_error;
  fault.forever = forever;
  return fault;
}
io::Fault transfers(std::uint64_t bytes) {
  io::Fault fault;
  fault.kind = io::Fault::Kind::kShort;
  fault.transfer = bytes;
  return fault;
}

INSTANTIATE_TEST_SUITE_P(Once, ConvertFaults,
                         ::testing::Values(fails(EIO, false), fails(ENOSPC, false),
                                           fails(EINTR, false)));
INSTANTIATE_TEST_SUITE_P(Forever, ConvertFaults,
                         ::testing::Values(fails(EIO, true), fails(ENOSPC, true)));
INSTANTIATE_TEST_SUITE_P(Short, ConvertFaults, ::testing::Values(transfers(1), transfers(4095)));

}  // namespace
}  // namespace ingot::tools
