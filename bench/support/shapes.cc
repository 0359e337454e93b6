#include "bench/support/shapes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "ingot/checkpoint.h"
#include "ingot/exceptions.h"

namespace ingot::bench {
namespace {

std::string layer(std::size_t number) { return "model.layers." + std::to_string(number); }

// The multiple of 64 nearest to what makes `factor` * width^2 bytes.
std::int64_t width_for(std::uint64_t bytes, double factor) {
  double width = std::sqrt(static_cast<double>(bytes) / factor);
  return std::max<std::int64_t>(64, std::llround(width / 64) * 64);
}

void add(Shape& shape, std::string name, std::vector<std::int64_t> extents) {
  shape.tensors.push_back({std::move(name), DType::kBFloat16, std::move(extents)});
}

void add_attention(Shape& shape, const std::string& prefix, std::int64_t width) {
  for (const char* part : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
    add(shape, prefix + ".self_attn." + part + ".weight", {width, width});
  }
}

// Convolutions have no bias: a batch norm follows each.
void add_normed_convolution(Shape& shape, const std::string& convolution, const std::string& norm,
                            std::vector<std::int64_t> extents) {
  const std::int64_t channels = extents.front();
  shape.tensors.push_back({convolution + ".weight", DType::kFloat32, std::move(extents)});
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
    shape.tensors.push_back({norm + part, DType::kFloat32, {channels}});
  }
  shape.tensors.push_back({norm + ".num_batches_tracked", DType::kInt64, {}});
}

void add_bottleneck(Shape& shape, const std::string& block, std::int64_t in, std::int64_t width,
                    bool first) {
  const std::int64_t out = 4 * width;
  add_normed_convolution(shape, block + ".conv1", block + ".bn1", {width, in, 1, 1});
  add_normed_convolution(shape, block + ".conv2", block + ".bn2", {width, width, 3, 3});
  add_normed_convolution(shape, block + ".conv3", block + ".bn3", {out, width, 1, 1});
  if (!first) return;
  add_normed_convolution(shape, block + ".downsample.0", block + ".downsample.1", {out, in, 1, 1});
}

bool is_buffer(const Tensor& tensor) {
  return tensor.name.find(".running_") != std::string::npos || tensor.dtype == DType::kInt64;
}

void add_adam_state(Shape& shape) {
  const std::vector<Tensor> model = shape.tensors;
  for (const Tensor& tensor : model) {
    if (is_buffer(tensor)) continue;
    const std::string prefix = "optimizer/" + tensor.name;
    shape.tensors.push_back({prefix + "/step", DType::kFloat32, {}});
    shape.tensors.push_back({prefix + "/exp_avg", DType::kFloat32, tensor.shape});
    shape.tensors.push_back({prefix + "/exp_avg_sq", DType::kFloat32, tensor.shape});
  }
}

}  // namespace

std::uint64_t Tensor::bytes() const {
  auto product = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  return static_cast<std::uint64_t>(product) * static_cast<std::uint64_t>(dtype_bits(dtype)) / 8;
}

std::uint64_t Shape::bytes() const {
  std::uint64_t sum = 0;
  for (const Tensor& tensor : tensors) sum += tensor.bytes();
  return sum;
}

WritePlan Shape::plan() const {
  WritePlan result;
  result.reserve(tensors.size());
  for (const Tensor& tensor : tensors) {
    result.add({.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape});
  }
  return result;
}

Shape small_tensors(std::size_t count, std::uint64_t tensor_bytes) {
  Shape shape{.name = "small-" + std::to_string(count), .tensors = {}};
  if (tensor_bytes != 1024) shape.name += "x" + std::to_string(tensor_bytes);
  shape.tensors.reserve(count);
  constexpr const char* kParts[] = {"gate_proj", "up_proj", "down_proj"};
  constexpr std::size_t kExperts = 128;
  auto elements = static_cast<std::int64_t>(tensor_bytes / 2);
  std::int64_t rows = elements % 16 == 0 ? 16 : 1;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t expert = i / std::size(kParts);
    add(shape,
        layer(expert / kExperts) + ".mlp.experts." + std::to_string(expert % kExperts) + "." +
            kParts[i % std::size(kParts)] + ".weight",
        {rows, elements / rows});
  }
  return shape;
}

Shape decoder(std::uint64_t bytes) {
  constexpr std::size_t kLayers = 33;
  // Elements a layer: 4 width^2 of attention, 3 * 2.6875 width^2 of the feed-forward part.
  constexpr double kFactor = 2 * (33 * (4 + 3 * 2.6875) + 2 * 7.8125);
  std::int64_t width = width_for(bytes, kFactor);
  std::int64_t inner = width * 43 / 16;
  std::int64_t vocabulary = width * 125 / 16;
  Shape shape{.name = "decoder-" + std::to_string(bytes >> 20) + "MiB", .tensors = {}};
  add(shape, "model.embed_tokens.weight", {vocabulary, width});
  for (std::size_t i = 0; i < kLayers; ++i) {
    add_attention(shape, layer(i), width);
    add(shape, layer(i) + ".mlp.gate_proj.weight", {inner, width});
    add(shape, layer(i) + ".mlp.up_proj.weight", {inner, width});
    add(shape, layer(i) + ".mlp.down_proj.weight", {width, inner});
    add(shape, layer(i) + ".input_layernorm.weight", {width});
    add(shape, layer(i) + ".post_attention_layernorm.weight", {width});
  }
  add(shape, "model.norm.weight", {width});
  add(shape, "lm_head.weight", {vocabulary, width});
  return shape;
}

Shape mixture_of_experts(std::uint64_t bytes) {
  constexpr std::size_t kLayers = 48;
  constexpr std::size_t kExperts = 128;
  constexpr double kFactor = 2 * (48 * (4 + 128 * 3 * 0.375));
  std::int64_t width = width_for(bytes, kFactor);
  std::int64_t inner = width * 3 / 8;
  Shape shape{.name = "moe-" + std::to_string(bytes >> 20) + "MiB", .tensors = {}};
  add(shape, "model.embed_tokens.weight", {width * 8, width});
  for (std::size_t i = 0; i < kLayers; ++i) {
    add_attention(shape, layer(i), width);
    add(shape, layer(i) + ".self_attn.q_norm.weight", {128});
    add(shape, layer(i) + ".self_attn.k_norm.weight", {128});
    add(shape, layer(i) + ".input_layernorm.weight", {width});
    add(shape, layer(i) + ".post_attention_layernorm.weight", {width});
    add(shape, layer(i) + ".mlp.gate.weight", {static_cast<std::int64_t>(kExperts), width});
    for (std::size_t expert = 0; expert < kExperts; ++expert) {
      std::string prefix = layer(i) + ".mlp.experts." + std::to_string(expert);
      add(shape, prefix + ".gate_proj.weight", {inner, width});
      add(shape, prefix + ".up_proj.weight", {inner, width});
      add(shape, prefix + ".down_proj.weight", {width, inner});
    }
  }
  add(shape, "model.norm.weight", {width});
  add(shape, "lm_head.weight", {width * 8, width});
  return shape;
}

Shape without_bytes(Shape shape) {
  shape.name += "-empty";
  for (Tensor& tensor : shape.tensors) tensor.shape.push_back(0);
  return shape;
}

Shape single_tensor(std::uint64_t bytes) {
  Shape shape{.name = "one-" + std::to_string(bytes >> 20) + "MiB", .tensors = {}};
  add(shape, "model.embed_tokens.weight", {static_cast<std::int64_t>(bytes / 2048), 1024});
  return shape;
}

Shape resnet50_with_adam() {
  Shape shape{.name = "resnet50", .tensors = {}};
  add_normed_convolution(shape, "conv1", "bn1", {64, 3, 7, 7});
  constexpr int kBlocks[] = {3, 4, 6, 3};
  std::int64_t in = 64;
  for (int stage = 0; stage < 4; ++stage) {
    const std::int64_t width = std::int64_t{64} << stage;
    for (int block = 0; block < kBlocks[stage]; ++block) {
      const std::string prefix = "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
      add_bottleneck(shape, prefix, in, width, block == 0);
      in = 4 * width;
    }
  }
  shape.tensors.push_back({"fc.weight", DType::kFloat32, {1000, in}});
  shape.tensors.push_back({"fc.bias", DType::kFloat32, {1000}});
  add_adam_state(shape);
  return shape;
}

Shape weights(const std::string& path) {
  Shape shape{.name = std::filesystem::path(path).stem().string(), .tensors = {}, .source = path};
  or_throw(Checkpoint::open(path)).for_each({}, [&](const TensorInfo& tensor) {
    shape.tensors.push_back(
        {std::string(tensor.name), tensor.dtype, {tensor.shape.begin(), tensor.shape.end()}});
  });
  return shape;
}

Shape shape_from(const std::string& text) {
  constexpr std::string_view kWeights = "weights:";
  if (text == "resnet50") return resnet50_with_adam();
  if (text.starts_with(kWeights)) return weights(text.substr(kWeights.size()));
  std::istringstream in(text);
  std::string kind;
  std::uint64_t first = 0;
  std::uint64_t second = 1024;
  char colon = 0;
  std::getline(in, kind, ':');
  in >> first;
  bool good = !in.fail();
  if (in >> colon) in >> second;
  if (good && kind == "small") return small_tensors(first, second);
  if (good && kind == "decoder") return decoder(first << 20);
  if (good && kind == "one") return single_tensor(first << 20);
  if (good && kind == "moe") return mixture_of_experts(first << 20);
  throw std::invalid_argument("not a shape: " + text);
}

void fill(std::span<std::byte> bytes, std::uint64_t seed) {
  // xorshift64*, four streams so that it is not what limits.
  std::uint64_t lanes[4];
  for (std::uint64_t i = 0; i < 4; ++i) lanes[i] = (seed * 4 + i + 1) * 0x9E3779B97F4A7C15u;
  std::size_t offset = 0;
  while (offset < bytes.size()) {
    for (std::uint64_t& lane : lanes) {
      lane ^= lane >> 12;
      lane ^= lane << 25;
      lane ^= lane >> 27;
    }
    std::size_t n = std::min(sizeof lanes, bytes.size() - offset);
    std::memcpy(bytes.data() + offset, lanes, n);
    offset += n;
  }
}

}  // namespace ingot::bench
