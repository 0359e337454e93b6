// Maps a checkpoint and prints a tensor's first values, straight from the mapped file:
//
//   map_tensor FILE             names of the tensors
//   map_tensor FILE NAME        the first values of one
//   map_tensor --verified FILE  reads every tensor, verified; says which are damaged
//
// The last one shows what damage leaves usable: every tensor whose bytes are proven still loads.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/ingot.h"

namespace {

float from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 0x1F) return fraction != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// One element as text; the types that need more than a cast to print are left to `ingot extract`.
std::string element(ingot::DType dtype, const std::byte* at) {
  char text[32];
  switch (dtype) {
    case ingot::DType::kFloat32:
      std::snprintf(text, sizeof text, "%.7g", static_cast<double>(load<float>(at)));
      return text;
    case ingot::DType::kFloat64:
      std::snprintf(text, sizeof text, "%.10g", load<double>(at));
      return text;
    case ingot::DType::kFloat16:
      std::snprintf(text, sizeof text, "%.5g",
                    static_cast<double>(from_half(load<std::uint16_t>(at))));
      return text;
    case ingot::DType::kBFloat16: {
      const auto bits = static_cast<std::uint32_t>(load<std::uint16_t>(at)) << 16;
      std::snprintf(text, sizeof text, "%.4g", static_cast<double>(std::bit_cast<float>(bits)));
      return text;
    }
    case ingot::DType::kInt64:
      return std::to_string(load<std::int64_t>(at));
    case ingot::DType::kInt32:
      return std::to_string(load<std::int32_t>(at));
    case ingot::DType::kUInt8:
    case ingot::DType::kBool:
      return std::to_string(load<std::uint8_t>(at));
    default:
      return "?";
  }
}

std::string description(const ingot::TensorInfo& tensor) {
  std::string text = std::string(tensor.name) + "  " + std::string(ingot::dtype_name(tensor.dtype));
  text += " [";
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(tensor.shape[i]);
  }
  return text + "]  " + std::to_string(tensor.bytes) + " bytes";
}

ingot::Status list(const ingot::Checkpoint& checkpoint) {
  checkpoint.for_each({}, [](const ingot::TensorInfo& tensor) {
    std::printf("%s\n", description(tensor).c_str());
  });
  return ingot::ok_status();
}

ingot::Status print(const ingot::Checkpoint& checkpoint, std::string_view name) {
  INGOT_ASSIGN_OR_RETURN(const ingot::TensorView view, checkpoint.tensor(name));
  std::printf("%s\n", description(view.info).c_str());
  const auto element_bytes =
      static_cast<std::size_t>(std::max(1, ingot::dtype_bits(view.info.dtype) / 8));
  const std::size_t count = std::min<std::size_t>(8, view.bytes.size() / element_bytes);
  for (std::size_t i = 0; i < count; ++i) {
    std::printf("%s%s", i == 0 ? "" : " ",
                element(view.info.dtype, view.bytes.data() + i * element_bytes).c_str());
  }
  std::printf("%s\n", count * element_bytes < view.bytes.size() ? " ..." : "");
  return ingot::ok_status();
}

// Reads every tensor; a damaged one costs itself alone.
ingot::Status read_all(const ingot::Checkpoint& checkpoint) {
  std::uint32_t bad = 0;
  ingot::Code worst = ingot::Code::kOk;
  std::vector<std::byte> buffer;
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    const ingot::TensorInfo tensor = checkpoint.info(i);
    buffer.resize(tensor.bytes);
    const ingot::Status status = checkpoint.read(tensor, buffer);
    if (status.ok()) continue;
    std::printf("not loaded: %s\n", status.to_string().c_str());
    worst = status.code();
    ++bad;
  }
  std::printf("%u of %u tensors loaded and proven\n", checkpoint.tensor_count() - bad,
              checkpoint.tensor_count());
  if (bad == 0) return ingot::ok_status();
  return {worst, std::to_string(bad) + " not loaded"};
}

ingot::Status run(const std::vector<std::string>& arguments) {
  const bool verified = arguments.front() == "--verified";
  if (arguments.size() > 2 || (verified && arguments.size() != 2)) {
    return {ingot::Code::kInvalidArgument, "usage: map_tensor [--verified] FILE [NAME]"};
  }
  INGOT_ASSIGN_OR_RETURN(const auto checkpoint,
                         ingot::Checkpoint::open(arguments[verified ? 1 : 0]));
  if (verified) return read_all(checkpoint);
  return arguments.size() == 1 ? list(checkpoint) : print(checkpoint, arguments[1]);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) arguments.emplace_back("--help");
  const ingot::Status status = run(arguments);
  std::fflush(stdout);  // before what goes to the other stream
  if (!status.ok()) std::fprintf(stderr, "map_tensor: %s\n", status.to_string().c_str());
  return ingot::exit_code(status.code());
}
