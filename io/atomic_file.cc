#include "io/atomic_file.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "base/error.h"
#include "io/sibling.h"

namespace ingot::io {
namespace {

constexpr int kNameAttempts = 16;

// Removes what writers of the same name left behind when they were killed: siblings whose lock can
// be taken. Best effort: a leftover that stays does no harm.
void reclaim_siblings(FileSystem& file_system, std::string_view path) {
  const std::string folder = folder_of(path);
  const Result<std::vector<std::string>> names = file_system.list(folder);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (!is_sibling(path, name)) continue;
    const std::string sibling = join(folder, name);
    // For writing: without it NFS gives no exclusive lock (flock(2)).
    const Result<std::unique_ptr<File>> file = file_system.open(sibling, Access::kReadWrite);
    // A live writer holds the lock. One that published meanwhile has taken the name away.
    if (!file.ok() || !(*file)->try_lock().ok()) continue;
    static_cast<void>(file_system.remove(sibling));
  }
}

// Locks a file against reclaim_siblings(). File systems without locks have no reclaiming either.
Status lock_against_reclaim(File& file) {
  Status status = file.try_lock();
  return status.code() == Code::kUnsupported ? Status() : status;
}

struct Sibling {
  std::string path;
  std::unique_ptr<File> file;
};

// One attempt; kAlreadyExists when another name must be tried.
Result<Sibling> create_sibling(FileSystem& file_system, std::string_view path) {
  Sibling sibling{random_sibling(path), nullptr};
  INGOT_ASSIGN_OR_RETURN(sibling.file, file_system.create_exclusive(sibling.path));
  Status status = lock_against_reclaim(*sibling.file);
  if (status.ok()) {
    // Before it was locked, another writer may have taken it for a leftover and removed it.
    const Result<FileStat> stat = sibling.file->stat();
    if (stat.ok() && stat->links > 0) return sibling;
    status = stat.ok() ? Status(Code::kAlreadyExists, "removed by another writer") : stat.status();
  }
  static_cast<void>(file_system.remove(sibling.path));
  return status;
}

// Calls `attempt` with fresh names until the answer is not that the name is taken.
template <typename Attempt>
auto with_fresh_name(Attempt attempt) {
  auto result = attempt();
  for (int i = 1; i < kNameAttempts; ++i) {
    if constexpr (std::is_same_v<decltype(result), Status>) {
      if (result.code() != Code::kAlreadyExists) break;
    } else {
      if (result.ok() || result.status().code() != Code::kAlreadyExists) break;
    }
    result = attempt();
  }
  return result;
}

Status name_taken(std::string_view path) {
  return make_error(Code::kAlreadyExists, "the name is taken").file(path);
}

// What stands under the name, unless it must not be replaced; nullopt when the name is free.
Result<std::optional<FileStat>> look_at(FileSystem& file_system, std::string_view path,
                                        bool replace) {
  const Result<FileStat> old = file_system.stat_name(path);
  if (!old.ok()) {
    if (old.status().code() == Code::kNotFound) return std::optional<FileStat>();
    return old.status();
  }
  if (!old->regular()) {
    return make_error(Code::kAlreadyExists, "only a regular file is ever replaced")
        .file(path)
        .found(kind_name(old->kind));
  }
  if (!replace) return name_taken(path);
  return std::optional<FileStat>(*old);
}

// The cause, without the name of a temporary.
Status cannot_create(std::string_view path, const Status& cause) {
  if (cause.os_error() == 0) return cause;
  return make_error(cause.code(), "cannot create").file(path).os_error(cause.os_error());
}

Status no_space(std::string_view path, std::uint64_t need, std::uint64_t have, int os_error) {
  const std::string folder = folder_of(path);
  const std::string what = "need " + human_bytes(need) + " (" + std::to_string(need) +
                           " bytes), have " + human_bytes(have) + " (" + std::to_string(have) +
                           " bytes) free in " + folder;
  return make_error(Code::kResourceExhausted, what).file(path).os_error(os_error);
}

Status too_large(std::string_view path, std::uint64_t bytes) {
  return make_error(Code::kResourceExhausted,
                    "need " + human_bytes(bytes) + " (" + std::to_string(bytes) +
                        " bytes), which is more than a file may have here")
      .file(path)
      .os_error(EFBIG)
      .advice("the limit is the process's, see ulimit -f, or the file system's");
}

}  // namespace

Result<AtomicFile> AtomicFile::create(FileSystem& file_system, std::string_view path,
                                      const Options& options) {
  if (name_of(path).empty()) {
    return make_error(Code::kInvalidArgument, "not a file name").file(path);
  }
  INGOT_ASSIGN_OR_RETURN(const std::optional<FileStat> old,
                         look_at(file_system, path, options.replace));
  reclaim_siblings(file_system, path);

  AtomicFile result;
  result.file_system_ = &file_system;
  result.path_ = path;
  result.options_ = options;
  Status status = result.create_file();
  if (!status.ok()) return cannot_create(path, status);
  result.file_->set_path(result.path_);
  // Before there is a byte that others must not see.
  if (old) INGOT_RETURN_IF_ERROR(result.keep_permissions(*old));
  return result;
}

Status AtomicFile::check_name(FileSystem& file_system, std::string_view path,
                              const Options& options) {
  return look_at(file_system, path, options.replace).status();
}

// A file system that cannot say how much is free may still have enough.
Status AtomicFile::check_space(FileSystem& file_system, std::string_view path,
                               std::uint64_t bytes) {
  const Result<std::uint64_t> have = file_system.free_bytes(folder_of(path));
  return have.ok() && *have < bytes ? no_space(path, bytes, *have, 0) : Status();
}

Status AtomicFile::create_file() {
  Result<std::unique_ptr<File>> unnamed = file_system_->create_unnamed(folder_of(path_));
  if (unnamed.ok()) {
    file_ = *std::move(unnamed);
    return lock_against_reclaim(*file_);
  }
  // kNotFound: old kernels say so too, and a folder that is really missing shows again below.
  const Code code = unnamed.status().code();
  if (code != Code::kUnsupported && code != Code::kNotFound) return unnamed.status();
  INGOT_ASSIGN_OR_RETURN(Sibling sibling,
                         with_fresh_name([&] { return create_sibling(*file_system_, path_); }));
  temporary_path_ = std::move(sibling.path);
  file_ = std::move(sibling.file);
  return {};
}

// Not asked for where they are right already: some file systems have no permissions to set.
Status AtomicFile::keep_permissions(const FileStat& old) {
  INGOT_ASSIGN_OR_RETURN(const FileStat now, file_->stat());
  return now.permissions == old.permissions ? Status() : file_->set_permissions(old.permissions);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : file_system_(other.file_system_),
      file_(std::move(other.file_)),
      path_(std::move(other.path_)),
      temporary_path_(std::exchange(other.temporary_path_, {})),
      options_(other.options_) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this == &other) return *this;
  drop();
  file_system_ = other.file_system_;
  file_ = std::move(other.file_);
  path_ = std::move(other.path_);
  temporary_path_ = std::exchange(other.temporary_path_, {});
  options_ = other.options_;
  return *this;
}

AtomicFile::~AtomicFile() { drop(); }

// The name goes first, while the lock is still held.
void AtomicFile::drop() noexcept {
  if (!temporary_path_.empty()) {
    // Once more where it fails: nothing else would remove it before the next create().
    if (!file_system_->remove(temporary_path_).ok()) {
      static_cast<void>(file_system_->remove(temporary_path_));
    }
    temporary_path_.clear();
  }
  file_.reset();
}

Status AtomicFile::reserve(std::uint64_t bytes) {
  if (file_ == nullptr) {
    return make_error(Code::kInvalidArgument, "published or dropped").file(path_);
  }
  // A file system that cannot say how much is free may still have enough.
  const Result<std::uint64_t> have = file_system_->free_bytes(folder_of(path_));
  if (have.ok() && *have < bytes) return no_space(path_, bytes, *have, 0);
  Status status = file_->allocate(bytes);
  if (status.code() == Code::kUnsupported) return file_->resize(bytes);
  if (status.os_error() == EFBIG) return too_large(path_, bytes);
  if (status.os_error() == ENOSPC && have.ok()) {
    return no_space(path_, bytes, *have, status.os_error());
  }
  return status;
}

Status AtomicFile::publish() {
  if (file_ == nullptr) {
    return make_error(Code::kInvalidArgument, "published or dropped").file(path_);
  }
  Status status = options_.durable ? file_->sync() : Status();
  if (status.ok()) status = give_name();
  if (!status.ok()) {
    drop();
    return status;
  }
  status = file_->close();
  file_.reset();
  if (options_.durable) {
    const Status synced = file_system_->sync_folder(folder_of(path_));
    if (status.ok()) status = synced;
  }
  if (status.ok()) return {};
  return make_error(Code::kCommitUncertain,
                    "published, but its durability is not confirmed: " + status.to_string())
      .file(path_)
      .os_error(status.os_error());
}

Status AtomicFile::link_sibling() {
  std::string sibling = random_sibling(path_);
  INGOT_RETURN_IF_ERROR(file_system_->link(*file_, sibling));
  temporary_path_ = std::move(sibling);
  return {};
}

Status AtomicFile::give_name() {
  if (temporary_path_.empty()) {
    Status linked = file_system_->link(*file_, path_);
    if (linked.code() != Code::kAlreadyExists) return linked;
    if (!options_.replace) return name_taken(path_);
    // link() never replaces: by way of a temporary name.
    Status status = with_fresh_name([&] { return link_sibling(); });
    if (!status.ok()) return cannot_create(path_, status);
  }
  // Once more, because names change while a file is written.
  INGOT_RETURN_IF_ERROR(look_at(*file_system_, path_, options_.replace).status());
  INGOT_RETURN_IF_ERROR(options_.replace ? file_system_->rename(temporary_path_, path_)
                                         : file_system_->rename_no_replace(temporary_path_, path_));
  temporary_path_.clear();
  return {};
}

}  // namespace ingot::io
