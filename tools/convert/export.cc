#include "tools/convert/export.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "io/aligned_buffer.h"
#include "io/atomic_file.h"
#include "io/transfer.h"
#include "tools/convert/export_plan.h"
#include "tools/convert/stream_writer.h"
#include "tools/read/packed_reader.h"
#include "tools/safetensors/shard_index.h"

namespace ingot::tools {
namespace {

constexpr std::uint64_t kPartBytes = std::uint64_t{8} << 20;

// Files that are complete and not yet published.
class Exporter {
 public:
  Exporter(const Checkpoint& checkpoint, ExportPlan plan, const ExportOptions& options)
      : checkpoint_(checkpoint), plan_(std::move(plan)), options_(options) {}

  Result<ConvertReport> run(const std::string& out) {
    INGOT_RETURN_IF_ERROR(check_names(out));
    INGOT_ASSIGN_OR_RETURN(buffer_, io::AlignedBuffer::allocate(kPartBytes));
    total_ = plan_.data_bytes();
    for (const ExportFile& file : plan_.files) {
      INGOT_ASSIGN_OR_RETURN(io::AtomicFile atomic, create(path_of(out, file.name)));
      INGOT_RETURN_IF_ERROR(atomic.reserve(file.file_bytes()));
      INGOT_RETURN_IF_ERROR(write(file, atomic.file()));
      report_.tensors += file.tensors.size();
      report_.file_bytes += file.file_bytes();
      pending_.push_back(std::move(atomic));
    }
    if (plan_.index) {
      INGOT_ASSIGN_OR_RETURN(io::AtomicFile atomic, create(plan_.folder->index));
      INGOT_RETURN_IF_ERROR(io::write_all(atomic.file(), 0, as_bytes(*plan_.index)));
      report_.file_bytes += plan_.index->size();
      pending_.push_back(std::move(atomic));
    }
    INGOT_RETURN_IF_ERROR(publish());
    report_.data_bytes = total_;
    report_.dropped = std::move(plan_.dropped);
    report_.duplicated = std::move(plan_.duplicated);
    return std::move(report_);
  }

 private:
  io::FileSystem& file_system() const { return io::or_posix(options_.file_system); }
  io::AtomicFile::Options atomic() const {
    return {.replace = options_.replace, .durable = options_.durable};
  }
  std::string path_of(const std::string& out, std::string_view name) const {
    return options_.shard_bytes == 0 ? out : io::join(out, name);
  }

  // What would go wrong after hours of writing.
  Status check_names(const std::string& out) const {
    INGOT_RETURN_IF_ERROR(check_rival());
    for (const ExportFile& file : plan_.files) {
      INGOT_RETURN_IF_ERROR(
          io::AtomicFile::check_name(file_system(), path_of(out, file.name), atomic()));
    }
    if (!plan_.index) return {};
    return io::AtomicFile::check_name(file_system(), plan_.folder->index, atomic());
  }

  Status check_rival() const {
    if (!plan_.folder) return {};
    if (options_.replace) {
      return io::AtomicFile::check_name(file_system(), plan_.rival(), atomic());
    }
    const Result<io::FileStat> found = file_system().stat_name(plan_.rival());
    if (!found.ok()) return found.status().code() == Code::kNotFound ? Status() : found.status();
    return make_error(Code::kAlreadyExists,
                      "readers of the folder could take this instead of what is to be written")
        .file(plan_.rival())
        .advice("--force removes it");
  }

  Result<io::AtomicFile> create(const std::string& path) {
    report_.files.push_back(path);
    return io::AtomicFile::create(file_system(), path, atomic());
  }

  Status write(const ExportFile& file, io::File& to) {
    INGOT_ASSIGN_OR_RETURN(
        StreamWriter writer,
        StreamWriter::open(file_system(), to, file.file_bytes(), options_.direct_from_bytes));
    INGOT_RETURN_IF_ERROR(writer.append(as_bytes(file.header)));
    for (const safetensors::Tensor& tensor : file.tensors) {
      INGOT_RETURN_IF_ERROR(copy(tensor, writer));
    }
    report_.io_path = writer.path();
    report_.io_reason = writer.reason();
    return writer.finish();
  }

  Status copy(const safetensors::Tensor& tensor, StreamWriter& writer) {
    const std::optional<TensorInfo> info = checkpoint_.find(tensor.name);
    PackedReader reader(checkpoint_, *info);
    for (std::uint64_t done = 0; done < tensor.bytes();) {
      if (is_set(options_.cancel)) {
        return {Code::kCancelled, "stopped on request"};
      }
      const auto length = static_cast<std::size_t>(std::min(kPartBytes, tensor.bytes() - done));
      const MutableBytes part = buffer_.bytes().first(length);
      INGOT_RETURN_IF_ERROR(reader.read(done, part));
      INGOT_RETURN_IF_ERROR(writer.append(part));
      done += length;
      done_ += length;
      options_.progress(done_, total_);
    }
    return {};
  }

  // The last file makes the others a model; see export.h for the order. Only its own durability may
  // stay uncertain: with shards that a power cut takes back it would name older ones.
  Status publish() {
    // Once more, because names change while files are written.
    INGOT_RETURN_IF_ERROR(check_rival());
    const std::vector<std::string> older = older_shards();
    if (plan_.folder) INGOT_RETURN_IF_ERROR(remove_older(plan_.folder->index));
    const std::size_t last = pending_.size() - 1;
    for (std::size_t i = 0; i < last; ++i) {
      const Status status = pending_[i].publish();
      if (status.ok()) continue;
      if (status.code() != Code::kCommitUncertain) return take_back(i, status);
      return take_back(i + 1, {Code::kIoError, std::string(status.message()), status.location(),
                               status.os_error()});
    }
    Status status = plan_.index ? remove_older(plan_.folder->single) : Status();
    if (status.ok()) status = pending_[last].publish();
    if (!status.ok() && status.code() != Code::kCommitUncertain) return take_back(last, status);
    if (status.ok()) remove_shards(older);
    return status;
  }

  // What the first `count` files replaced cannot be had again, and without an index they are none.
  Status take_back(std::size_t count, Status because) {
    for (std::size_t i = 0; i < count; ++i) (void)file_system().remove(report_.files[i]);
    return because;
  }

  // A name of the folder's model, gone for good when this returns.
  Status remove_older(const std::string& path) {
    if (!options_.replace) return {};  // there was none
    const Result<io::FileStat> found = file_system().stat_name(path);
    if (!found.ok()) return found.status().code() == Code::kNotFound ? Status() : found.status();
    INGOT_RETURN_IF_ERROR(io::AtomicFile::check_name(file_system(), path, atomic()));
    INGOT_RETURN_IF_ERROR(file_system().remove(path));
    if (path == plan_.rival()) report_.removed.push_back(path);
    return options_.durable ? file_system().sync_folder(io::folder_of(path)) : Status();
  }

  // Those of the index that stands now, but for names that are written anew.
  std::vector<std::string> older_shards() const {
    if (!options_.replace || !plan_.folder) return {};
    const std::string& path = plan_.folder->index;
    const Result<io::FileStat> found = file_system().stat_name(path);
    if (!found.ok() || !found->regular()) return {};
    const Result<std::unique_ptr<io::File>> file = file_system().open(path, io::Access::kRead);
    if (!file.ok()) return {};
    const Result<safetensors::ShardIndex> index = safetensors::read_shard_index(**file, path);
    if (!index.ok()) return {};  // then nothing says whose they are
    std::set<std::string> names;
    for (const auto& [tensor, shard] : index->weight_map) {
      if (safetensors::is_shard_name(kModelStem, shard)) names.insert(shard);
    }
    for (const ExportFile& file_written : plan_.files) names.erase(file_written.name);
    return {names.begin(), names.end()};
  }

  // Best effort: nothing refers to them any more.
  void remove_shards(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const std::string path = io::join(io::folder_of(plan_.folder->index), name);
      const Result<io::FileStat> found = file_system().stat_name(path);
      if (!found.ok() || !found->regular() || !file_system().remove(path).ok()) continue;
      report_.removed.push_back(path);
    }
  }

  const Checkpoint& checkpoint_;
  ExportPlan plan_;
  const ExportOptions& options_;
  io::AlignedBuffer buffer_;
  std::vector<io::AtomicFile> pending_;
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
  ConvertReport report_;
};

// The folder that shards go to; one that was made here goes again when the export fails.
class ShardFolder {
 public:
  ~ShardFolder() {
    if (made_.empty()) return;
    std::error_code ignored;
    std::filesystem::remove(made_, ignored);  // only when it is empty
  }
  Status make(const std::string& path) {
    if (::mkdir(path.c_str(), 0777) == 0) {
      made_ = path;
      return {};
    }
    if (errno == EEXIST && std::filesystem::is_directory(path)) return {};
    const int error = errno == EEXIST ? ENOTDIR : errno;
    return make_error(Code::kIoError, "cannot make the folder for the shards")
        .file(path)
        .os_error(error);
  }
  // The folder stays. One that was made here is an entry of the folder above, which is synced.
  Status keep(const ExportOptions& options) {
    std::string made = std::exchange(made_, {});
    if (made.empty() || !options.durable) return {};
    while (made.size() > 1 && made.ends_with('/')) made.pop_back();
    const Status status = io::or_posix(options.file_system).sync_folder(io::folder_of(made));
    if (status.ok()) return {};
    return make_error(Code::kCommitUncertain,
                      "published, but the durability of the folder is not confirmed: " +
                          status.to_string())
        .file(made)
        .os_error(status.os_error());
  }

 private:
  std::string made_;
};

}  // namespace

Result<ConvertReport> export_safetensors(const Checkpoint& checkpoint, const std::string& out,
                                         const ExportOptions& options) {
  INGOT_ASSIGN_OR_RETURN(ExportPlan plan, plan_export(checkpoint, out, options));
  ShardFolder folder;
  if (options.shard_bytes != 0) INGOT_RETURN_IF_ERROR(folder.make(out));
  INGOT_ASSIGN_OR_RETURN(ConvertReport report,
                         Exporter(checkpoint, std::move(plan), options).run(out));
  INGOT_RETURN_IF_ERROR(folder.keep(options));
  return report;
}

}  // namespace ingot::tools
