// A save that replaces an older file, in a file system in memory: the case of the fault and crash
// tests. The name must always hold exactly one of two contents.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "io/memory_file_system.h"
#include "io/sibling.h"
#include "model.h"

namespace ingot::testing {

inline constexpr std::string_view kName = "model.ingot";

// Ways to save that take different calls.
struct Way {
  std::string name;
  io::MemoryFileSystem::Features features;
  Existing existing = Existing::kReplace;
  bool has_old = true;  // a file lies under the name before
  DirectIo direct = DirectIo::kOff;
  bool read_back = false;
  io::QueueKind queue = io::QueueKind::kSynchronous;
};

inline std::vector<Way> ways() {
  const io::MemoryFileSystem::Features all{.direct = true};
  const io::MemoryFileSystem::Features named{.unnamed_files = false, .direct = true};
  const io::MemoryFileSystem::Features poor{.unnamed_files = false, .allocate = false};
  return {
      {.name = "unnamed", .features = all},
      {.name = "named", .features = named},
      {.name = "no fallocate", .features = poor},
      {.name = "first save", .features = all, .has_old = false},
      {.name = "first save, named", .features = named, .has_old = false},
      {.name = "no replacing", .features = all, .existing = Existing::kFail, .has_old = false},
      {.name = "no replacing, named",
       .features = named,
       .existing = Existing::kFail,
       .has_old = false},
      {.name = "direct, read back", .features = all, .direct = DirectIo::kOn, .read_back = true},
  };
}

class ReplaceCase {
 public:
  ReplaceCase() : old_model_(twelve_pages(1)), new_model_(twelve_pages(2)) {
    old_file_ = saved(old_model_);
    new_file_ = saved(new_model_);
  }

  const Content& old_file() const { return old_file_; }
  const Content& new_file() const { return new_file_; }
  const Model& new_model() const { return new_model_; }

  // A file system as it was before the save.
  void prepare(io::MemoryFileSystem& memory, const Way& way) const {
    memory.set_features(way.features);
    if (way.has_old) memory.put(kName, old_file_);
  }

  // Saves the new model through `file_system`.
  Status save(io::FileSystem& file_system, const Way& way) const {
    WriterOptions options = options_on(file_system);
    options.existing = way.existing;
    options.direct = way.direct;
    options.read_back = way.read_back;
    writer::Tuning tuning;
    tuning.queue = way.queue;
    tuning.synchronous_bytes = 0;
    // Several writes a file: one of four pages at most.
    tuning.slot_bytes = 16384;
    auto session = writer::Session::create(kName, new_model_.plan, options, tuning);
    INGOT_RETURN_IF_ERROR(session.status());
    INGOT_RETURN_IF_ERROR(write_all(**session, new_model_));
    return (*session)->commit();
  }

  bool holds_old(const io::MemoryFileSystem& memory, const Way& way) const {
    return memory.content(kName) == (way.has_old ? old_file_ : Content());
  }
  bool holds_new(const io::MemoryFileSystem& memory) const {
    return memory.content(kName) == new_file_;
  }

  // Names besides the file's own that no later save would reclaim.
  static std::string foreign_name(const io::MemoryFileSystem& memory) {
    for (const std::string& name : memory.names()) {
      if (name != kName && !io::is_sibling(kName, name)) return name;
    }
    return {};
  }

 private:
  Model old_model_;
  Model new_model_;
  Content old_file_;
  Content new_file_;
};

}  // namespace ingot::testing
