// Files to run the command on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingot/status.h"
#include "ingot/writer.h"

#include "base/bytes.h"

namespace ingot::testing {

// The bytes of numbers.
template <typename T>
std::vector<std::byte> bytes_of(const std::vector<T>& numbers) {
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}
std::vector<std::byte> pattern(std::size_t count, unsigned seed = 1);

// An Ingot file made of whole storages. Verbs return *this.
class IngotFile {
 public:
  IngotFile& tensor(TensorSpec spec, std::vector<std::byte> bytes);
  IngotFile& tensor(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                    std::vector<std::byte> bytes);
  // A further tensor on the storage of an earlier one, by its name.
  IngotFile& tied(TensorSpec spec, const std::string& with);
  IngotFile& attachment(const std::string& name, const std::string& type, std::string_view text);
  IngotFile& state(StateValue root);
  Status write(const std::string& path, const WriterOptions& options = {}) const;

 private:
  WritePlan plan_;
  std::vector<std::pair<StorageId, std::vector<std::byte>>> contents_;
};

// A .safetensors file with the header that the reference library would write for tensors in this
// order.
class SafetensorsFile {
 public:
  SafetensorsFile& tensor(const std::string& name, const std::string& dtype,
                          const std::vector<std::int64_t>& shape, std::vector<std::byte> bytes);
  SafetensorsFile& metadata(const std::string& key, const std::string& value);
  std::string bytes() const;
  void write(const std::string& path) const;

 private:
  std::string entries_;
  std::string metadata_;
  std::string data_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view content);
// Changes one byte.
void flip(const std::string& path, std::uint64_t offset);
std::vector<std::string> names_in(const std::string& folder);  // sorted, hidden ones, too

// A small model with every feature that inspect shows; its first tensor begins at 4096.
IngotFile sample_model();

// Two parameters and an AdamW of two groups that has stepped one of them.
IngotFile sample_training();

}  // namespace ingot::testing
