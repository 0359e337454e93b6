// Names of checkpoints in a directory, and the newest that verifies.
#include "ingot/directory.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include "base/error.h"
#include "io/file_system.h"
#include "loader/verified_open.h"

namespace ingot {
namespace {

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kSuffix = ".ingot";
constexpr std::size_t kDigits = 14;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool older(const CheckpointFile& a, const CheckpointFile& b) {
  if (a.step != b.step) return a.step < b.step;
  return a.path.size() < b.path.size();  // equal steps and equal lengths are one name
}

Status none_verifies(const std::string& folder, const std::vector<DamagedCheckpoint>& skipped) {
  if (skipped.empty())
    return make_error(Code::kNotFound, "no checkpoint in the folder").file(folder);
  return make_error(Code::kCorrupt, "no checkpoint in the folder verifies")
      .file(folder)
      .found(std::to_string(skipped.size()) + " that " + (skipped.size() == 1 ? "does" : "do") +
             " not")
      .advice("the newest: " + skipped.front().status.to_string());
}

}  // namespace

std::string CheckpointDirectory::path_for(std::uint64_t step) const {
  const std::string number = std::to_string(step);
  std::string name(kPrefix);
  if (number.size() < kDigits) name.append(kDigits - number.size(), '0');
  name.append(number).append(kSuffix);
  return io::join(folder_, name);
}

std::optional<std::uint64_t> CheckpointDirectory::step_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) ||
      name.size() < kPrefix.size() + kSuffix.size()) {
    return std::nullopt;
  }
  const std::string_view digits =
      name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::uint64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc()) return std::nullopt;  // no digit, or above 2^64 - 1
  return step;
}

Result<std::vector<CheckpointFile>> CheckpointDirectory::list() const {
  INGOT_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                         io::or_posix(file_system_).list(folder_.empty() ? "." : folder_));
  std::vector<CheckpointFile> files;
  for (const std::string& name : names) {
    if (const auto step = step_of(name)) files.push_back({*step, io::join(folder_, name)});
  }
  std::sort(files.begin(), files.end(), older);
  return files;
}

Result<NewestCheckpoint> CheckpointDirectory::newest(const NewestOptions& options) const {
  if (options.threads < 0) {
    return make_error(Code::kInvalidArgument, "a negative number of threads").file(folder_);
  }
  INGOT_ASSIGN_OR_RETURN(std::vector<CheckpointFile> files, list());
  const auto verified = loader::verified_open_options(options, file_system_);
  std::vector<DamagedCheckpoint> skipped;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    Result<Checkpoint> checkpoint = loader::open_verified(file->path, verified);
    if (checkpoint.ok()) {
      return NewestCheckpoint{file->step, std::move(file->path), *std::move(checkpoint),
                              std::move(skipped), options.level};
    }
    if (checkpoint.status().code() == Code::kCancelled) return checkpoint.status();
    skipped.push_back({file->step, std::move(file->path), checkpoint.status()});
  }
  return none_verifies(folder_, skipped);
}

}  // namespace ingot
