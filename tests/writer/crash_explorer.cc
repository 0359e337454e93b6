#include "crash_explorer.h"

#include <bit>
#include <utility>

namespace ingot::testing {
namespace {

constexpr std::uint64_t kSectors = 8;
// A save after the crash is tried on one state in so many.
constexpr std::uint64_t kResave = 4001;

bool changes_the_disk(io::Call call) {
  switch (call) {
    case io::Call::kCreateUnnamed:
    case io::Call::kCreateExclusive:
    case io::Call::kLink:
    case io::Call::kRename:
    case io::Call::kRemove:
    case io::Call::kSyncFolder:
    case io::Call::kWrite:
    case io::Call::kAllocate:
    case io::Call::kResize:
    case io::Call::kSetPermissions:
    case io::Call::kSync:
    case io::Call::kClose:
      return true;
    case io::Call::kOpen:
    case io::Call::kFreeBytes:
    case io::Call::kList:
    case io::Call::kRead:
    case io::Call::kStat:
    case io::Call::kMap:
    case io::Call::kPopulate:
    case io::Call::kResident:
    case io::Call::kAdvise:
    case io::Call::kLock:
    case io::Call::kReopenDirect:
    case io::Call::kStatName:
      break;
  }
  return false;
}

}  // namespace

Survey CrashExplorer::run(const Wrap& wrap, bool first_only) {
  first_only_ = first_only;
  io::FaultFileSystem faults(memory_);
  return explore(faults, wrap);
}

Survey CrashExplorer::run_with(const io::Fault& fault, const Wrap& wrap) {
  first_only_ = true;
  io::FaultFileSystem faults(memory_);
  faults.set_fault(fault);
  return explore(faults, wrap);
}

Survey CrashExplorer::explore(io::FaultFileSystem& faults, const Wrap& wrap) {
  case_.prepare(memory_, way_);
  bool changed = false;
  // Called before each call: the disk is as the call before left it.
  faults.set_observer([&](std::uint64_t number, io::Call call, const std::string&) {
    if (changed) look_at_all_states(false);
    changed = changes_the_disk(call);
    cut_ = "after call " + std::to_string(number) + " (" + std::string(call_name(call)) + ")";
  });
  const std::unique_ptr<io::FileSystem> mutant = wrap ? wrap(faults) : nullptr;
  survey_.saved = case_.save(mutant ? *mutant : faults, way_);
  faults.set_observer({});
  cut_ += ", at the end";
  look_at_all_states(survey_.saved.ok());
  return survey_;
}

void CrashExplorer::look_at_all_states(bool committed) {
  events_ = memory_.pending_events();
  fates_.assign(events_.size(), Fate::kLost);
  pages_.clear();
  others_.clear();
  for (std::size_t i = 0; i < events_.size(); ++i) {
    (events_[i].kind == Event::Kind::kPage ? pages_ : others_).push_back(i);
  }
  for_names_and_lengths(0, [&] { for_pages([&] { look_at_state(committed); }); });
}

void CrashExplorer::for_names_and_lengths(std::size_t next, const std::function<void()>& visit) {
  if (next == others_.size()) return visit();
  const std::size_t event = others_[next];
  std::vector<Fate> choices = {Fate::kLost, Fate::kKept};
  if (events_[event].kind == Event::Kind::kLength && depth_ == Depth::kExhaustive) {
    choices.push_back(Fate::kTornHead);
  }
  for (const Fate fate : choices) {
    if (done()) return;
    fates_[event] = fate;
    for_names_and_lengths(next + 1, visit);
  }
}

void CrashExplorer::for_pages(const std::function<void()>& visit) {
  for (std::uint64_t mask = 0; mask < std::uint64_t{1} << pages_.size() && !done(); ++mask) {
    if (!worth_looking_at(mask)) continue;
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      fates_[pages_[i]] = ((mask >> i) & 1) != 0 ? Fate::kKept : Fate::kLost;
    }
    visit();
    tear_one(mask, visit);
  }
}

bool CrashExplorer::worth_looking_at(std::uint64_t mask) const {
  const int kept = std::popcount(mask);
  return depth_ != Depth::kCoarse || kept <= 1 || kept + 1 >= static_cast<int>(pages_.size());
}

// A page that is kept, torn: its first sectors are new, the rest is old.
void CrashExplorer::tear_one(std::uint64_t mask, const std::function<void()>& visit) {
  const bool all = depth_ == Depth::kExhaustive;
  const int last = static_cast<int>(std::bit_width(mask)) - 1;
  for (int i = std::countr_zero(mask); i <= last; ++i) {
    if (((mask >> i) & 1) == 0 || (!all && i != last && i != std::countr_zero(mask))) continue;
    Fate& fate = fates_[pages_[static_cast<std::size_t>(i)]];
    fate = Fate::kTornHead;
    for (std::uint64_t sector = 1; sector < kSectors && !done(); ++sector) {
      if (!all && sector != kSectors / 2) continue;
      memory_.set_tear(sector);
      visit();
    }
    fate = Fate::kKept;
  }
}

void CrashExplorer::look_at_state(bool committed) {
  std::size_t next = 0;
  const auto after = memory_.crash([&](const Event&) { return fates_[next++]; });
  ++survey_.states;
  const Content found = after->content(kName);
  const bool is_new = found == case_.new_file();
  const bool is_old = found == (way_.has_old ? case_.old_file() : Content());
  if (!is_new && (committed || !is_old)) report("the name holds neither legal content");
  if (const std::string name = ReplaceCase::foreign_name(*after); !name.empty()) {
    report("left behind: " + name);
  }
  if (survey_.states % kResave != 0) return;
  Way again = way_;
  again.existing = Existing::kReplace;
  if (!case_.save(*after, again).ok() || !case_.holds_new(*after) || after->names().size() != 1) {
    report("the next save fails or leaves something behind");
  }
}

void CrashExplorer::report(const std::string& what) {
  if (++survey_.violations > 1) return;
  survey_.first = way_.name + ", " + cut_ + ": " + what;
}

}  // namespace ingot::testing
