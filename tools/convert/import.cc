#include "tools/convert/import.h"

#include <algorithm>
#include <functional>
#include <future>
#include <optional>
#include <utility>

#include "base/cancel.h"
#include "base/checked.h"
#include "base/error.h"
#include "io/aligned_buffer.h"
#include "io/transfer.h"
#include "tools/convert/state_keys.h"
#include "tools/safetensors/source.h"

namespace ingot::tools {
namespace {

constexpr std::uint64_t kWindowBytes = std::uint64_t{8} << 20;

Status check_cancelled(const CancelFlag* cancel) {
  if (is_set(cancel)) return {Code::kCancelled, "stopped on request"};
  return {};
}

// Where the window that begins at an offset ends: at most kWindowBytes on.
using WindowEnd = std::function<std::uint64_t(std::uint64_t begin)>;

// Reads a file front to back, the next window while the caller uses this one.
class WindowReader {
 public:
  // Offsets of `window_end` count from `base` within the file; it returns its argument at the end.
  WindowReader(io::File& file, std::uint64_t base, WindowEnd window_end)
      : file_(file), base_(base), window_end_(std::move(window_end)) {}
  ~WindowReader() {
    if (ahead_.valid()) ahead_.wait();
  }
  WindowReader(const WindowReader&) = delete;
  WindowReader& operator=(const WindowReader&) = delete;

  // The bytes that follow, valid until the next call; empty at the end.
  Result<Bytes> next() {
    if (!ahead_.valid()) INGOT_RETURN_IF_ERROR(read_ahead());
    if (!ahead_.valid()) return Bytes();
    INGOT_ASSIGN_OR_RETURN(const Bytes window, ahead_.get());
    INGOT_RETURN_IF_ERROR(read_ahead());
    return window;
  }

 private:
  Status read_ahead() {
    const std::uint64_t length = window_end_(position_) - position_;
    if (length == 0) return {};
    io::AlignedBuffer& buffer = buffers_[turn_];
    turn_ = 1 - turn_;
    if (buffer.size() == 0) {
      INGOT_ASSIGN_OR_RETURN(buffer, io::AlignedBuffer::allocate(kWindowBytes));
    }
    const MutableBytes window = buffer.bytes().first(static_cast<std::size_t>(length));
    ahead_ =
        std::async(std::launch::async, [this, window, at = base_ + position_]() -> Result<Bytes> {
          INGOT_RETURN_IF_ERROR(io::read_exact(file_, at, window));
          return Bytes(window);
        });
    position_ += length;
    return {};
  }

  io::File& file_;
  std::uint64_t base_;
  WindowEnd window_end_;
  std::uint64_t position_ = 0;
  io::AlignedBuffer buffers_[2];
  std::size_t turn_ = 0;
  std::future<Result<Bytes>> ahead_;
};

// Windows end on a chunk of the tensor that they would cut, so that the writer gets whole chunks.
WindowEnd window_ends(const safetensors::Header& header, std::uint64_t chunk_bytes) {
  return [&header, chunk_bytes](std::uint64_t begin) {
    const std::uint64_t end = std::min(begin + kWindowBytes, header.data_bytes());
    const auto after = std::upper_bound(
        header.tensors.begin(), header.tensors.end(), end,
        [](std::uint64_t at, const safetensors::Tensor& tensor) { return at < tensor.begin; });
    if (after == header.tensors.begin()) return end;
    const safetensors::Tensor& tensor = *std::prev(after);
    if (tensor.end <= end) return end;
    const std::uint64_t cut = tensor.begin + align_down(end - tensor.begin, chunk_bytes);
    return cut > begin ? cut : end;
  };
}

class Importer {
 public:
  Importer(safetensors::Source source, const ImportOptions& options)
      : source_(std::move(source)), options_(options) {}

  Result<ConvertReport> run(const std::string& out) {
    INGOT_RETURN_IF_ERROR(check_metadata());
    INGOT_RETURN_IF_ERROR(plan());
    INGOT_ASSIGN_OR_RETURN(Writer writer, Writer::create(out, plan_, options_.writer));
    INGOT_RETURN_IF_ERROR(copy_tensors(writer));
    INGOT_RETURN_IF_ERROR(copy_attachments(writer));
    // A change after the first read would mix two states of the input.
    INGOT_RETURN_IF_ERROR(check_unchanged());
    INGOT_RETURN_IF_ERROR(writer.commit());
    report_.data_bytes = writer.report().data_bytes;
    report_.file_bytes = writer.report().file_bytes;
    report_.io_path = writer.report().io_path;
    report_.io_reason = writer.report().io_reason;
    report_.files = {out};
    return std::move(report_);
  }

 private:
  Status check_metadata() {
    const std::vector<std::string>& conflicts = source_.conflicting_metadata();
    if (conflicts.empty()) return {};
    const std::string what = "metadata that differs between shards: " + joined_names(conflicts);
    if (!options_.drop_extra) {
      return make_error(Code::kUnsupported, what)
          .file(source_.files().front().opened.path)
          .advice("--drop-extra keeps the first shard's");
    }
    report_.dropped.push_back(what);
    return {};
  }

  Status plan() {
    for (const safetensors::SourceFile& file : source_.files()) {
      for (const safetensors::Tensor& tensor : file.header.tensors) {
        const TensorId id =
            plan_.add({.name = tensor.name,
                       .dtype = tensor.dtype,
                       .shape = tensor.shape,
                       .role = is_buffer_name(tensor.name) ? Role::kBuffer : Role::kParameter});
        storages_.push_back(plan_.storage_of(id));
      }
    }
    for (const AttachSpec& spec : options_.attachments) {
      INGOT_ASSIGN_OR_RETURN(safetensors::OpenedFile opened,
                             safetensors::open_regular(io::or_posix(options_.writer.file_system),
                                                       spec.path, safetensors::Symlinks::kFollow));
      plan_.attach(spec.name, spec.media_type, opened.stat.bytes);
      attachments_.push_back(std::move(opened));
    }
    if (auto state = make_state(source_.metadata(), source_.index_metadata())) {
      plan_.set_state(*std::move(state));
    }
    report_.tensors = storages_.size();
    report_.attachments = attachments_.size();
    return {};
  }

  Status copy_tensors(Writer& writer) {
    std::size_t first = 0;
    for (const safetensors::SourceFile& file : source_.files()) {
      INGOT_RETURN_IF_ERROR(copy_file(writer, file, first));
      first += file.header.tensors.size();
    }
    return {};
  }

  // The tensors of one file, whose storages begin at `number`. Windows and tensors overlap freely.
  Status copy_file(Writer& writer, const safetensors::SourceFile& file, std::size_t number) {
    const std::vector<safetensors::Tensor>& tensors = file.header.tensors;
    WindowReader reader(*file.opened.file, file.header.data_begin(),
                        window_ends(file.header, options_.writer.chunk_bytes));
    std::uint64_t position = 0;  // within the data
    std::size_t i = 0;
    for (;;) {
      INGOT_RETURN_IF_ERROR(check_cancelled(options_.writer.cancel));
      INGOT_ASSIGN_OR_RETURN(const Bytes window, reader.next());
      if (window.empty()) return {};
      const std::uint64_t window_end = position + window.size();
      for (; i < tensors.size() && tensors[i].begin < window_end; ++i) {
        if (tensors[i].bytes() == 0) continue;
        const std::uint64_t begin = std::max(tensors[i].begin, position);
        const std::uint64_t end = std::min(tensors[i].end, window_end);
        INGOT_RETURN_IF_ERROR(
            writer.write(storages_[number + i], begin - tensors[i].begin,
                         window.subspan(static_cast<std::size_t>(begin - position),
                                        static_cast<std::size_t>(end - begin))));
        if (tensors[i].end > window_end) break;  // the rest of it is in the next window
      }
      position = window_end;
    }
  }

  Status copy_attachments(Writer& writer) {
    for (std::size_t i = 0; i < attachments_.size(); ++i) {
      const safetensors::OpenedFile& opened = attachments_[i];
      WindowReader reader(*opened.file, 0, [bytes = opened.stat.bytes](std::uint64_t begin) {
        return std::min(begin + kWindowBytes, bytes);
      });
      for (std::uint64_t position = 0;;) {
        INGOT_RETURN_IF_ERROR(check_cancelled(options_.writer.cancel));
        INGOT_ASSIGN_OR_RETURN(const Bytes window, reader.next());
        if (window.empty()) break;
        INGOT_RETURN_IF_ERROR(writer.write(plan_.attachments()[i].storage, position, window));
        position += window.size();
      }
    }
    return {};
  }

  Status check_unchanged() const {
    INGOT_RETURN_IF_ERROR(source_.check_unchanged());
    for (const safetensors::OpenedFile& opened : attachments_) {
      INGOT_RETURN_IF_ERROR(safetensors::check_unchanged(opened));
    }
    return {};
  }

  safetensors::Source source_;
  const ImportOptions& options_;
  WritePlan plan_;
  std::vector<StorageId> storages_;  // of the tensors, in order
  std::vector<safetensors::OpenedFile> attachments_;
  ConvertReport report_;
};

}  // namespace

bool is_buffer_name(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return last == "running_mean" || last == "running_var" || last == "num_batches_tracked";
}

Result<ConvertReport> import_safetensors(const std::string& in, const std::string& out,
                                         const ImportOptions& options) {
  INGOT_ASSIGN_OR_RETURN(safetensors::Source source,
                         safetensors::Source::open(io::or_posix(options.writer.file_system), in,
                                                   {.follow_symlinks = options.follow_symlinks}));
  return Importer(std::move(source), options).run(out);
}

}  // namespace ingot::tools
