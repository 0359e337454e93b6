#include "tests/tools/samples.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/tools/safetensors_bytes.h"
#include "tools/safetensors/text.h"

namespace ingot::testing {

std::vector<std::byte> pattern(std::size_t count, unsigned seed) {
  std::vector<std::byte> bytes(count);
  std::uint32_t state = seed * 2654435761u + 1;
  for (std::byte& b : bytes) {
    state = state * 1664525u + 1013904223u;
    b = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

IngotFile& IngotFile::tensor(TensorSpec spec, std::vector<std::byte> bytes) {
  // A strided tensor's storage is as large as its bytes.
  if (!spec.strides.empty()) spec.storage = plan_.add_storage(bytes.size());
  const TensorId id = plan_.add(std::move(spec));
  contents_.emplace_back(plan_.storage_of(id), std::move(bytes));
  return *this;
}

IngotFile& IngotFile::tensor(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                             std::vector<std::byte> bytes) {
  return tensor({.name = name, .dtype = dtype, .shape = std::move(shape)}, std::move(bytes));
}

IngotFile& IngotFile::tied(TensorSpec spec, const std::string& with) {
  for (const TensorSpec& other : plan_.tensors()) {
    if (other.name == with) spec.storage = other.storage;
  }
  plan_.add(std::move(spec));
  return *this;
}

IngotFile& IngotFile::attachment(const std::string& name, const std::string& type,
                                 std::string_view text) {
  plan_.attach(name, type, text.size());
  const auto bytes = as_bytes(text);
  contents_.emplace_back(plan_.attachments().back().storage,
                         std::vector<std::byte>(bytes.begin(), bytes.end()));
  return *this;
}

IngotFile& IngotFile::state(StateValue root) {
  plan_.set_state(std::move(root));
  return *this;
}

Status IngotFile::write(const std::string& path, const WriterOptions& options) const {
  WriterOptions quick = options;
  quick.durability = Durability::kNone;
  INGOT_ASSIGN_OR_RETURN(Writer writer, Writer::create(path, plan_, quick));
  for (const auto& [storage, bytes] : contents_) {
    INGOT_RETURN_IF_ERROR(writer.write(storage, bytes));
  }
  return writer.commit();
}

SafetensorsFile& SafetensorsFile::tensor(const std::string& name, const std::string& dtype,
                                         const std::vector<std::int64_t>& shape,
                                         std::vector<std::byte> bytes) {
  std::string extents;
  for (const std::int64_t extent : shape) {
    if (!extents.empty()) extents += ",";
    extents += std::to_string(extent);
  }
  if (!entries_.empty()) entries_ += ",";
  entries_ += safetensors::json_string(name) + ":{\"dtype\":\"" + dtype + "\",\"shape\":[" +
              extents + "],\"data_offsets\":[" + std::to_string(data_.size()) + "," +
              std::to_string(data_.size() + bytes.size()) + "]}";
  data_ += as_text(bytes);
  return *this;
}

SafetensorsFile& SafetensorsFile::metadata(const std::string& key, const std::string& value) {
  if (!metadata_.empty()) metadata_ += ",";
  metadata_ += safetensors::json_string(key) + ":" + safetensors::json_string(value);
  return *this;
}

std::string SafetensorsFile::bytes() const {
  std::string header = "{";
  if (!metadata_.empty()) header += "\"__metadata__\":{" + metadata_ + "}";
  if (!metadata_.empty() && !entries_.empty()) header += ",";
  header += entries_ + "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  return safetensors(header, data_);
}

void SafetensorsFile::write(const std::string& path) const { write_file(path, bytes()); }

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

void flip(const std::string& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
  if (!file.flush()) throw std::runtime_error("cannot change " + path);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

IngotFile sample_model() {
  StateValue root = StateValue::dict();
  StateValue metadata = StateValue::dict();
  metadata.set("format", StateValue::string("pt"));
  root.set("metadata", std::move(metadata));
  root.set("epoch", StateValue::integer(3));
  StateValue optimizer = StateValue::dict();
  optimizer.set("lr", StateValue::real(0.001));
  optimizer.set("step", StateValue::tensor("adamw.step"));
  optimizer.set("betas", StateValue::tuple({StateValue::real(0.9), StateValue::real(0.999)}));
  root.set("optimizer", std::move(optimizer));

  IngotFile file;
  file.tensor({.name = "embed.weight",
               .dtype = DType::kFloat32,
               .shape = {100, 200},
               .requires_grad = true},
              pattern(80'000));
  file.tied(
      {.name = "head.weight", .dtype = DType::kFloat32, .shape = {100, 200}, .requires_grad = true},
      "embed.weight");
  file.tensor(
      {.name = "norm.running_mean", .dtype = DType::kBFloat16, .shape = {8}, .role = Role::kBuffer},
      pattern(16, 2));
  file.tensor({.name = "transposed", .dtype = DType::kInt16, .shape = {3, 2}, .strides = {1, 3}},
              bytes_of<std::int16_t>({1, 2, 3, 4, 5, 6}));
  file.tensor(
      {.name = "adamw.step", .dtype = DType::kFloat64, .shape = {}, .role = Role::kOptimizerState},
      bytes_of<double>({1000}));
  file.attachment("config.json", "application/json", "{\"hidden_size\": 200}\n");
  file.state(std::move(root));
  return file;
}

IngotFile sample_training() {
  const auto number = [](std::int64_t value) { return StateValue::integer(value); };
  StateValue entries = StateValue::dict();
  entries.set("step", StateValue::real(12));
  entries.set("exp_avg", StateValue::tensor("adamw/embed.weight/exp_avg"));
  entries.set("max_exp_avg_sq", StateValue::null());
  StateValue state = StateValue::dict();
  state.set(0, std::move(entries));

  StateValue decayed = StateValue::dict();
  decayed.set("lr", StateValue::real(0.001));
  decayed.set("betas", StateValue::tuple({StateValue::real(0.9), StateValue::real(0.999)}));
  decayed.set("amsgrad", StateValue::boolean(false));
  decayed.set("params", StateValue::list({number(0)}));
  decayed.set("param_names", StateValue::list({StateValue::string("embed.weight")}));
  decayed.set("param_shapes", StateValue::list({StateValue::list({number(2), number(3)})}));
  decayed.set("param_requires_grad", StateValue::list({StateValue::boolean(true)}));
  StateValue plain = StateValue::dict();
  plain.set("lr", StateValue::real(0.0001));
  plain.set("params", StateValue::list({number(1), number(2)}));
  plain.set("param_names",
            StateValue::list({StateValue::string("norm.weight"), StateValue::string("elsewhere")}));

  StateValue optimizer = StateValue::dict();
  optimizer.set("class", StateValue::string("AdamW"));
  optimizer.set("state", std::move(state));
  optimizer.set("param_groups", StateValue::list({std::move(decayed), std::move(plain)}));
  StateValue optimizers = StateValue::dict();
  optimizers.set("adamw", std::move(optimizer));
  StateValue root = StateValue::dict();
  root.set("optimizers", std::move(optimizers));

  IngotFile file;
  file.tensor({.name = "embed.weight", .shape = {2, 3}, .requires_grad = true}, pattern(24));
  file.tensor("norm.weight", DType::kFloat32, {3}, pattern(12, 2));
  file.tensor(
      {.name = "adamw/embed.weight/exp_avg", .shape = {2, 3}, .role = Role::kOptimizerState},
      pattern(24, 3));
  file.state(std::move(root));
  return file;
}

}  // namespace ingot::testing
