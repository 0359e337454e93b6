// SQLite's I/O error loop over conversions: call N fails, for every N, and nothing half-done stays.
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <random>
#include <set>

#include "io/fault_file_system.h"
#include "io/memory_file_system.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/tools/samples.h"
#include "tools/convert/export.h"
#include "tools/convert/import.h"
#include "tools/safetensors/source.h"

namespace ingot::tools {
namespace {

using ::ingot::testing::names_in;
using ::ingot::testing::pattern;
using ::ingot::testing::read_file;
using ::ingot::testing::SafetensorsFile;
using ::ingot::testing::Scratch;
using ::ingot::testing::StatusIs;
using ::ingot::testing::write_file;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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

// Exports of one model over those of another in the same folder, in every pair of shapes. Names,
// sizes and shards are the same, so that a mixture would load.
class ExportOver : public ::testing::Test {
 protected:
  static constexpr std::size_t kEach = 5000;  // two pages
  static constexpr int kTensors = 4;
  // Those that change names or stand beside such ones; ConvertFaults goes through all.
  const std::vector<io::Call> calls_ = {
      io::Call::kCreateUnnamed, io::Call::kLink, io::Call::kRename,   io::Call::kRemove,
      io::Call::kSyncFolder,    io::Call::kSync, io::Call::kStatName, io::Call::kClose};

  ExportOver() {
    std::filesystem::create_directory(out_);
    old_ = make("old.ingot", 1);
    new_ = make("new.ingot", 2);
  }
  std::string path(std::string_view name) const { return scratch_.path(name); }

  std::string make(const std::string& name, unsigned seed) {
    SafetensorsFile file;
    for (int i = 0; i < kTensors; ++i) {
      file.tensor("t" + std::to_string(i), "U8", {kEach}, pattern(kEach, seed));
    }
    file.write(path("in.safetensors"));
    EXPECT_OK(import_safetensors(path("in.safetensors"), path(name), {}).status());
    return seed_bytes(seed);
  }
  static std::string seed_bytes(unsigned seed) {
    std::string all;
    for (int i = 0; i < kTensors; ++i) all += as_text(pattern(kEach, seed));
    return all;
  }

  Status export_model(const std::string& name, std::uint64_t shard_bytes,
                      io::FileSystem* file_system, bool replace = true, bool durable = true) const {
    INGOT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::open(path(name)));
    return export_safetensors(checkpoint, out_,
                              {.replace = replace,
                               .durable = durable,
                               .shard_bytes = shard_bytes,
                               .file_system = file_system})
        .status();
  }

  // What a reader finds: "old", "new", "none" (an error), or "a mixture".
  std::string found_in(const std::string& folder) const {
    const Result<safetensors::Source> source = safetensors::Source::open(io::posix(), folder);
    if (!source.ok()) return "none";
    std::string all;
    for (const safetensors::SourceFile& file : source->files()) {
      const std::string bytes = read_file(file.opened.path);
      all += bytes.substr(bytes.size() - file.header.data_bytes());
    }
    return all == old_ ? "old" : all == new_ ? "new" : "a mixture";
  }
  std::string found() const { return found_in(out_); }
  bool has_index() const { return std::filesystem::exists(out_ + "/model.safetensors.index.json"); }
  bool has_both() const {
    return has_index() && std::filesystem::exists(out_ + "/model.safetensors");
  }
  void empty() const {
    std::filesystem::remove_all(out_);
    std::filesystem::create_directory(out_);
  }
  template <typename Function>
  static void for_every_pair(Function check) {
    constexpr std::uint64_t kShapes[] = {kEach, 2 * kEach, 100 * kEach};  // 4 shards, 2, 1
    for (const std::uint64_t before : kShapes) {
      for (const std::uint64_t after : kShapes) {
        SCOPED_TRACE(std::to_string(before) + " to " + std::to_string(after));
        check(before, after);
      }
    }
  }

  Scratch scratch_;
  std::string out_ = scratch_.path("out");
  std::string old_;
  std::string new_;
};

// Before every call the folder is what a kill at that point would leave.
TEST_F(ExportOver, AKillNeverLeavesAMixture) {
  for_every_pair([&](std::uint64_t before, std::uint64_t after) {
    empty();
    ASSERT_OK(export_model("old.ingot", before, nullptr));
    ASSERT_EQ(found(), "old");
    io::FaultFileSystem watched(io::posix());
    std::set<std::string> seen;
    watched.set_observer([&](std::uint64_t, io::Call, const std::string&) {
      seen.insert(found());
      EXPECT_FALSE(has_both());
    });
    ASSERT_OK(export_model("new.ingot", after, &watched));
    EXPECT_THAT(seen, Not(Contains("a mixture")));
    EXPECT_EQ(found(), "new");
    EXPECT_FALSE(has_both());
  });
}

TEST_F(ExportOver, APowerCutNeverLeavesAMixture) {
  using Memory = io::MemoryFileSystem;
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same every time
  const std::string after_cut = path("after");
  const auto found_after = [&](const Memory& memory, const auto& fate) {
    const std::unique_ptr<Memory> survived = memory.crash(fate);
    std::filesystem::remove_all(after_cut);
    std::filesystem::create_directory(after_cut);
    for (const std::string& name : survived->names()) {
      write_file(io::join(after_cut, io::name_of(name)), as_text(survived->content(name)));
    }
    return found_in(after_cut);
  };
  const auto lost = [](const Memory::CrashEvent&) { return Memory::Fate::kLost; };
  const auto kept = [](const Memory::CrashEvent&) { return Memory::Fate::kKept; };
  const auto some = [&](const Memory::CrashEvent&) {
    return random() % 2 == 0 ? Memory::Fate::kLost : Memory::Fate::kKept;
  };
  for_every_pair([&](std::uint64_t before, std::uint64_t after) {
    Memory memory;
    ASSERT_OK(export_model("old.ingot", before, &memory));
    ASSERT_EQ(found_after(memory, lost), "old");
    io::FaultFileSystem watched(memory);
    std::set<std::string> seen;
    watched.set_observer([&](std::uint64_t, io::Call call, const std::string&) {
      if (std::ranges::count(calls_, call) == 0) return;
      seen.insert(found_after(memory, lost));
      seen.insert(found_after(memory, kept));
      seen.insert(found_after(memory, some));
      seen.insert(found_after(memory, some));
    });
    ASSERT_OK(export_model("new.ingot", after, &watched));
    EXPECT_THAT(seen, Not(Contains("a mixture")));
    EXPECT_EQ(found_after(memory, lost), "new");
  });
}

// After an error either nothing has happened yet, or no index stands; never a mixture.
TEST_F(ExportOver, AnErrorNeverLeavesAMixture) {
  for (const bool forever : {false, true}) {
    for_every_pair([&](std::uint64_t before, std::uint64_t after) {
      for (std::uint64_t n = 0; n < kMostCalls; ++n) {
        SCOPED_TRACE(n);
        empty();
        ASSERT_OK(export_model("old.ingot", before, nullptr, true, /*durable=*/false));
        io::FaultFileSystem faults(io::posix());
        faults.set_fault({.at = n, .forever = forever, .only = calls_});
        const Status status = export_model("new.ingot", after, &faults);
        const std::string state = found();
        if (status.ok() || status.code() == Code::kCommitUncertain) {
          ASSERT_EQ(state, "new") << status.to_string();
        } else {
          ASSERT_TRUE(state == "old" || (state == "none" && !has_index()))
              << state << ": " << status.to_string();
        }
        if (!faults.fired()) return;
      }
      FAIL() << "more calls than expected";
    });
  }
}

// Without an older export nothing is left, whatever goes wrong.
TEST_F(ExportOver, AnErrorLeavesNoNewShards) {
  for (std::uint64_t n = 0; n < kMostCalls; ++n) {
    SCOPED_TRACE(n);
    empty();
    io::FaultFileSystem faults(io::posix());
    faults.set_fault({.at = n, .only = {}});
    const Status status = export_model("new.ingot", kEach, &faults, /*replace=*/false);
    if (status.ok() || status.code() == Code::kCommitUncertain) {
      ASSERT_EQ(found(), "new") << status.to_string();
    } else {
      for (const std::string& name : names_in(out_)) {
        EXPECT_NE(name.find(".tmp."), std::string::npos) << name;  // its removal failed
      }
    }
    if (!faults.fired()) return;
  }
  FAIL() << "more calls than expected";
}

// A new folder is an entry of the folder above.
TEST_F(ExportOver, ANewFolderIsMadeDurable) {
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::open(path("new.ingot")));
  const auto synced = [&](const std::string& out, bool durable) {
    std::vector<std::string> folders;
    io::FaultFileSystem watched(io::posix());
    watched.set_observer([&](std::uint64_t, io::Call call, const std::string& folder) {
      if (call == io::Call::kSyncFolder) folders.push_back(folder);
    });
    EXPECT_OK(
        export_safetensors(
            checkpoint, out,
            {.replace = true, .durable = durable, .shard_bytes = kEach, .file_system = &watched})
            .status());
    return folders;
  };
  EXPECT_THAT(synced(path("made"), true), Contains(scratch_.folder()));
  EXPECT_THAT(synced(path("slash//"), true), Contains(scratch_.folder()));
  EXPECT_THAT(synced(path("quick"), false), IsEmpty());
  EXPECT_THAT(synced(path("made"), true), Not(Contains(scratch_.folder())));
}

TEST_F(ExportOver, ANewFolderThatMayBeLostIsUncertain) {
  std::filesystem::remove(out_);
  io::FaultFileSystem faults(io::posix());
  faults.set_fault({.at = 5, .only = {io::Call::kSyncFolder}});  // after four shards and the index
  EXPECT_THAT(export_model("new.ingot", kEach, &faults, /*replace=*/false),
              StatusIs(Code::kCommitUncertain, HasSubstr(out_ + ": ")));
  EXPECT_TRUE(faults.fired());
  EXPECT_EQ(found(), "new");
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
