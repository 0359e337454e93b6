#include "tools/convert/export.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "io/aligned_buffer.h"
#include "io/atomic_file.h"
#include "io/transfer.h"
#include "tools/convert/export_plan.h"
#include "tools/convert/stream_writer.h"
#include "tools/read/packed_reader.h"

namespace ingot::tools {
namespace {

constexpr std::uint64_t kPartBytes = std::uint64_t{8} << 20;
constexpr std::string_view kIndexName = "model.safetensors.index.json";

// Files that are complete and not yet published.
class Exporter {
 public:
  Exporter(const Checkpoint& checkpoint, ExportPlan plan, const ExportOptions& options)
      : checkpoint_(checkpoint), plan_(std::move(plan)), options_(options) {}

  Result<ConvertReport> run(const std::string& out) {
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
      INGOT_ASSIGN_OR_RETURN(io::AtomicFile atomic, create(path_of(out, kIndexName)));
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
  std::string path_of(const std::string& out, std::string_view name) const {
    return options_.shard_bytes == 0 ? out : io::join(out, name);
  }

  Result<io::AtomicFile> create(const std::string& path) {
    report_.files.push_back(path);
    return io::AtomicFile::create(io::or_posix(options_.file_system), path,
                                  {.replace = options_.replace, .durable = options_.durable});
  }

  Status write(const ExportFile& file, io::File& to) {
    INGOT_ASSIGN_OR_RETURN(StreamWriter writer,
                           StreamWriter::open(io::or_posix(options_.file_system), to,
                                              file.file_bytes(), options_.direct_from_bytes));
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
      if (options_.cancel != nullptr && options_.cancel->load()) {
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

  // All or nothing, but for a crash in between: then the shard index, which comes last, is missing.
  Status publish() {
    Status uncertain;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      Status status = pending_[i].publish();
      if (status.ok()) continue;
      if (status.code() == Code::kCommitUncertain) {  // it has its name
        uncertain = std::move(status);
        continue;
      }
      // What replaced an older file cannot be taken back.
      for (std::size_t k = 0; k < i && !options_.replace; ++k) {
        (void)io::or_posix(options_.file_system).remove(report_.files[k]);
      }
      return status;
    }
    return uncertain;
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
  void keep() { made_.clear(); }

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
  folder.keep();
  return report;
}

}  // namespace ingot::tools
