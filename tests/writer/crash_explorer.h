// Power cuts, enumerated (after ALICE, OSDI'14, and RocksDB's db_crashtest): a save is run once,
// and after each of its calls every state that the disk may be in is built and looked at.
//
// A state is a choice for every event that is not yet on stable storage: each page kept or lost,
// one kept page torn at a sector, each length and each name kept or lost.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ingot/status.h"

#include "io/fault_file_system.h"
#include "io/memory_file_system.h"
#include "replace_case.h"

namespace ingot::testing {

enum class Depth {
  kCoarse,      // pages: none, all, all but one, only one
  kSampled,     // all subsets of pages; the first and the last kept page torn at one sector
  kExhaustive,  // every kept page torn at all seven inner sectors, lengths torn too
};

struct Survey {
  std::uint64_t states = 0;
  std::uint64_t violations = 0;
  std::string first;  // the first violation, for people
  Status saved;       // what the save returned
};

// Puts something between the writer and the file system: a mutant. Null result: nothing.
using Wrap = std::function<std::unique_ptr<io::FileSystem>(io::FileSystem&)>;

class CrashExplorer {
 public:
  CrashExplorer(const ReplaceCase& replace_case, const Way& way, Depth depth)
      : case_(replace_case), way_(way), depth_(depth) {}

  // Stops looking at the first violation when `first_only`.
  Survey run(const Wrap& wrap = {}, bool first_only = false);
  // The same while call `fault` goes wrong.
  Survey run_with(const io::Fault& fault, const Wrap& wrap);

 private:
  using Fate = io::MemoryFileSystem::Fate;
  using Event = io::MemoryFileSystem::CrashEvent;

  Survey explore(io::FaultFileSystem& faults, const Wrap& wrap);
  void look_at_all_states(bool committed);
  void for_names_and_lengths(std::size_t next, const std::function<void()>& visit);
  void for_pages(const std::function<void()>& visit);
  bool worth_looking_at(std::uint64_t mask) const;
  void tear_one(std::uint64_t mask, const std::function<void()>& visit);
  void look_at_state(bool committed);
  void report(const std::string& what);
  bool done() const { return first_only_ && survey_.violations > 0; }

  const ReplaceCase& case_;
  const Way way_;
  const Depth depth_;
  bool first_only_ = false;
  io::MemoryFileSystem memory_;
  std::vector<Event> events_;
  std::vector<Fate> fates_;         // of events_
  std::vector<std::size_t> pages_;  // which events are pages
  std::vector<std::size_t> others_;
  std::string cut_;
  Survey survey_;
};

}  // namespace ingot::testing
