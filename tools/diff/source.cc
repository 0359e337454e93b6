#include "tools/diff/source.h"

#include <utility>

#include "io/file_system.h"
#include "io/transfer.h"
#include "tools/cli/file_kind.h"
#include "tools/convert/state_keys.h"
#include "tools/diff/ingot_source.h"
#include "tools/safetensors/source.h"

namespace ingot::tools {
namespace {

class SafetensorsBytes : public TensorBytes {
 public:
  SafetensorsBytes(const safetensors::SourceFile& file, const safetensors::Tensor& tensor)
      : file_(*file.opened.file), begin_(file.header.data_begin() + tensor.begin) {}
  Status read(std::uint64_t offset, MutableBytes destination) override {
    return io::read_exact(file_, begin_ + offset, destination);
  }

 private:
  io::File& file_;
  std::uint64_t begin_;
};

class SafetensorsSource : public DiffSource {
 public:
  explicit SafetensorsSource(safetensors::Source source) : source_(std::move(source)) {
    for (const safetensors::SourceFile& file : source_.files()) {
      for (const safetensors::Tensor& tensor : file.header.tensors) {
        tensors_.push_back({&file, &tensor});
      }
    }
  }

  std::uint32_t tensor_count() const override {
    return static_cast<std::uint32_t>(tensors_.size());
  }
  TensorFacts facts(std::uint32_t i) const override {
    const safetensors::Tensor& tensor = *tensors_[i].tensor;
    return {tensor.name, tensor.dtype, tensor.shape, tensor.bytes()};
  }
  std::unique_ptr<TensorBytes> bytes(std::uint32_t i) const override {
    return std::make_unique<SafetensorsBytes>(*tensors_[i].file, *tensors_[i].tensor);
  }
  bool is_complete() const override { return false; }
  std::optional<StateValue> state() const override {
    return make_state(source_.metadata(), source_.index_metadata());
  }
  Status check_unchanged() const override { return source_.check_unchanged(); }

 private:
  struct Entry {
    const safetensors::SourceFile* file;
    const safetensors::Tensor* tensor;
  };
  safetensors::Source source_;
  std::vector<Entry> tensors_;
};

}  // namespace

Result<std::unique_ptr<DiffSource>> DiffSource::open(const std::string& path,
                                                     bool follow_symlinks) {
  if (kind_of(path) == FileKind::kSafetensors) {
    INGOT_ASSIGN_OR_RETURN(
        safetensors::Source source,
        safetensors::Source::open(io::posix(), path, {.follow_symlinks = follow_symlinks}));
    return std::unique_ptr<DiffSource>(std::make_unique<SafetensorsSource>(std::move(source)));
  }
  INGOT_ASSIGN_OR_RETURN(Checkpoint checkpoint, Checkpoint::open(path));
  return make_ingot_source(std::move(checkpoint));
}

}  // namespace ingot::tools
