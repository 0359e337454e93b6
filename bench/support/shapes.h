// What is measured: names, shapes and dtypes of real models, at sizes that fit the machine. The
// bytes are synthetic, but for real weights: neither a digest nor a disk looks at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ingot/dtype.h"
#include "ingot/writer.h"

namespace ingot::bench {

struct Tensor {
  std::string name;
  DType dtype = DType::kBFloat16;
  std::vector<std::int64_t> shape;

  std::uint64_t bytes() const;
};

struct Shape {
  std::string name;  // "small-100000": also part of file names and of benchmark names
  std::vector<Tensor> tensors;
  std::string source = {};  // the Ingot file that has the bytes; empty: they are synthetic

  std::uint64_t bytes() const;
  WritePlan plan() const;  // tensor i of the shape is tensor i of the plan
};

// `count` tensors of `tensor_bytes` (even) bytes in bfloat16, named as the experts of a
// mixture-of-experts model are.
Shape small_tensors(std::size_t count, std::uint64_t tensor_bytes = 1024);
// The 300 tensors of a decoder (33 layers, proportions of a 7B model), about `bytes` bytes
// together.
Shape decoder(std::uint64_t bytes);
// The 18,867 tensors of a mixture of 128 experts (48 layers), about `bytes` bytes together.
Shape mixture_of_experts(std::uint64_t bytes);
// As many tensors, of the same names, with no bytes: what is left is the work on metadata.
Shape without_bytes(Shape shape);
// A single tensor of `bytes` bytes.
Shape single_tensor(std::uint64_t bytes);
// ResNet-50 in float32 with its buffers and Adam's state: 803 tensors, 293 MiB, from four bytes to
// 9 MiB each.
Shape resnet50_with_adam();
// What an Ingot file holds, its bytes included; named as the file is.
Shape weights(const std::string& path);

// "small:100000", "small:1000000:16" (bytes a tensor), "decoder:2048" (MiB), "moe:2048",
// "one:2048", "resnet50", "weights:/path/of/a.ingot". Throws when it is none of these.
Shape shape_from(const std::string& text);

// Bytes that do not compress and repeat for a seed.
void fill(std::span<std::byte> bytes, std::uint64_t seed);

}  // namespace ingot::bench
