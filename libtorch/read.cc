#include "libtorch/read.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "libtorch/error.h"
#include "libtorch/layout.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

std::span<std::byte> memory_of(const Tensor& bytes) {
  return {static_cast<std::byte*>(bytes.data_ptr()), bytes.nbytes()};
}

Tensor empty_bytes(std::uint64_t bytes, torch::Device device = torch::kCPU) {
  return torch::empty({static_cast<std::int64_t>(bytes)},
                      torch::TensorOptions(torch::kByte).device(device));
}

torch::ScalarType scalar_type_of(const TensorInfo& info) {
  if (const auto type = to_scalar_type(info.dtype)) return *type;
  throw Error(Status(Code::kUnsupported,
                     "this LibTorch has no element type " + std::string(dtype_name(info.dtype)),
                     {.region = Region::kData, .tensor = std::string(info.name)}));
}

std::vector<std::int64_t> row_major_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) {
    strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

// A tensor of the info's type, shape and strides on bytes that begin `offset` before it.
Tensor typed_view(const Tensor& bytes, const TensorInfo& info, std::uint64_t offset) {
  const torch::NoGradGuard no_grad;
  const std::vector<std::int64_t> shape = shape_in_torch(info);
  std::vector<std::int64_t> strides(info.strides.begin(), info.strides.end());
  if (strides.empty()) strides = row_major_strides(shape);
  Tensor tensor =
      torch::empty({0}, torch::TensorOptions(scalar_type_of(info)).device(bytes.device()));
  const std::uint64_t element = element_bytes(tensor);
  const std::uint64_t begin = static_cast<std::uint64_t>(bytes.storage_offset()) + offset;
  if (info.bytes == 0) return tensor.set_(tensor.storage(), 0, shape, strides);
  return tensor.set_(bytes.storage(), static_cast<std::int64_t>(begin / element), shape, strides);
}

bool is_nibbles(DType dtype) { return dtype == DType::kInt4 || dtype == DType::kUInt4; }

// One int4 a byte, as LibTorch has them; signed ones with their sign.
Tensor unpack_nibbles(const Tensor& packed, DType dtype) {
  Tensor bytes = empty_bytes(2 * packed.nbytes());
  const auto* from = packed.data_ptr<std::uint8_t>();
  auto* to = bytes.data_ptr<std::uint8_t>();
  const auto widen = [&](unsigned nibble) {
    const bool negative = dtype == DType::kInt4 && nibble >= 8;
    return static_cast<std::uint8_t>(negative ? nibble | 0xF0 : nibble);
  };
  for (std::int64_t i = 0; i < packed.numel(); ++i) {
    to[2 * i] = widen(from[i] & 0xFU);
    to[2 * i + 1] = widen(static_cast<unsigned>(from[i]) >> 4);
  }
  return bytes;
}

// Whether the tensor's memory is, byte for byte, what the file has.
bool lies_as_in_file(const Tensor& tensor, const TensorInfo& info) {
  if (!TensorReader::can_view(info) || info.numel() == 0) return false;
  if (tensor.is_conj() || tensor.is_neg()) return false;
  if (info.strides.empty()) return tensor.is_contiguous();
  return tensor.is_non_overlapping_and_dense() && tensor.nbytes() == info.bytes &&
         std::equal(info.strides.begin(), info.strides.end(), tensor.strides().begin(),
                    tensor.strides().end());
}

bool is_same(const std::optional<Quantization>& a, const std::optional<Quantization>& b) {
  if (!a || !b) return !a && !b;
  return a->scheme == b->scheme && a->axis == b->axis && a->scale == b->scale &&
         a->zero_point == b->zero_point && a->scales_storage == b->scales_storage &&
         a->zero_points_storage == b->zero_points_storage;
}

bool is_same(const TensorInfo& a, const TensorInfo& b) {
  const auto same_list = [](auto x, auto y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end());
  };
  return a.dtype == b.dtype && a.byte_offset == b.byte_offset && same_list(a.shape, b.shape) &&
         same_list(a.strides, b.strides) && is_same(a.quantization, b.quantization);
}

}  // namespace

TensorReader::TensorReader(const Checkpoint& checkpoint, TransferOptions options)
    : checkpoint_(checkpoint),
      verify_(options.proof == Proof::kNone ? Verify::kNo : Verify::kYes),
      transfers_(checkpoint, std::move(options)) {}

bool TensorReader::can_view(const TensorInfo& info) {
  return !is_quantized(info.dtype) && !is_nibbles(info.dtype);
}

void TensorReader::check_readable(const TensorInfo& info) {
  static_cast<void>(scalar_type_of(info));
  static_cast<void>(shape_in_torch(info));
  if (has_ragged_rows({info.shape.data(), info.shape.size()}, info.dtype)) {
    throw Error(Status(Code::kUnsupported,
                       "rows that do not fill whole bytes, which LibTorch packs otherwise: " +
                           std::string(dtype_name(info.dtype)),
                       {.region = Region::kData, .tensor = std::string(info.name)}));
  }
}

Tensor TensorReader::bytes_of(const TensorInfo& info) const {
  Tensor bytes = empty_bytes(info.bytes);
  check(checkpoint_.read(info, memory_of(bytes), verify_));
  return bytes;
}

void TensorReader::read_into(const TensorInfo& info, const Tensor& tensor) {
  if (info.numel() == 0) return;
  const bool put_off = lies_as_in_file(tensor, info) && transfers_.reaches(tensor.device()) &&
                       transfers_.add(info, tensor);
  if (!put_off) waiting_.push_back({info, tensor});
}

// One by one: what LibTorch converts needs memory twice.
void TensorReader::copy_into(const TensorInfo& info, const Tensor& tensor) const {
  const torch::NoGradGuard no_grad;
  if (lies_as_in_file(tensor, info) && tensor.device().is_cpu()) {
    return check(checkpoint_.read(
        info, {static_cast<std::byte*>(tensor.data_ptr()), static_cast<std::size_t>(info.bytes)},
        verify_));
  }
  const Tensor stored = read_now(info);
  if (tensor.is_conj() || tensor.is_neg()) {
    tensor.copy_(stored);
  } else {
    as_integers(tensor).copy_(as_integers(stored));
  }
}

void TensorReader::finish() {
  transfers_.run();
  for (const Waiting& waiting : waiting_) copy_into(waiting.info, waiting.tensor);
  waiting_.clear();
}

Tensor TensorReader::read_now(const TensorInfo& info) const {
  if (is_quantized(info.dtype)) return read_quantized(info);
  if (is_nibbles(info.dtype)) {
    return typed_view(unpack_nibbles(bytes_of(info), info.dtype), info, 0);
  }
  return typed_view(bytes_of(info), info, 0);
}

Tensor TensorReader::read(const TensorInfo& info, torch::Device device) {
  if (!can_view(info) || !transfers_.reaches(device)) return read_now(info).to(device);
  const Tensor bytes = empty_bytes(info.bytes, device);
  transfers_.add(info, bytes);
  return typed_view(bytes, info, 0);
}

Tensor TensorReader::read_tied(const TensorInfo& info, torch::Device device) {
  if (!can_view(info)) return read_converted(info, device);
  Tensor& bytes = storages_[{info.storage, device.str()}];
  if (!bytes.defined()) {
    const bool reached = transfers_.reaches(device);
    bytes = empty_bytes(checkpoint_.storage(info.storage).bytes, reached ? device : torch::kCPU);
    if (reached) {
      transfers_.add_storage(info, bytes);
    } else {
      check(checkpoint_.read_storage(info.storage, 0, memory_of(bytes), info.name, verify_));
      bytes = bytes.to(device);
    }
  }
  return typed_view(bytes, info, info.byte_offset);
}

void TensorReader::make_slab(const std::vector<TensorInfo>& tensors, torch::Device device) {
  if (!transfers_.reaches(device)) return;
  std::vector<std::uint32_t> storages;
  for (const TensorInfo& tensor : tensors) {
    if (can_view(tensor)) storages.push_back(tensor.storage);
  }
  std::sort(storages.begin(), storages.end());
  storages.erase(std::unique(storages.begin(), storages.end()), storages.end());
  for (auto& [storage, bytes] : transfers_.add_slab(storages, device)) {
    storages_[{storage, device.str()}] = std::move(bytes);
  }
}

// What is the same in the file is the same memory; views of a part of it are apart.
Tensor TensorReader::read_converted(const TensorInfo& info, torch::Device device) {
  std::vector<Converted>& known = converted_[info.storage];
  for (const Converted& other : known) {
    if (is_same(other.info, info)) return other.tensor.detach();
  }
  known.push_back({info, read_now(info).to(device)});
  return known.back().tensor.detach();
}

Tensor TensorReader::view(const TensorInfo& info) {
  if (!data_) data_ = take(checkpoint_.mutable_data());
  Tensor& bytes = storages_[{info.storage, "file"}];
  if (!bytes.defined()) {
    const StorageInfo storage = checkpoint_.storage(info.storage);
    const std::uint64_t begin = storage.offset - checkpoint_.file().data_begin;
    // NOLINTNEXTLINE(performance-unnecessary-value-param): the deleter's signature is LibTorch's
    bytes = torch::from_blob(
        data_->data.data() + begin, {static_cast<std::int64_t>(storage.bytes)},
        [owner = data_->owner](void*) mutable { owner.reset(); }, torch::kByte);
  }
  return typed_view(bytes, info, info.byte_offset);
}

Tensor TensorReader::read_quantized(const TensorInfo& info) const {
  const Quantization& q = *info.quantization;
  const std::vector<std::int64_t> shape = shape_in_torch(info);
  const auto options = torch::TensorOptions(scalar_type_of(info));
  const auto parameters = [&](std::uint32_t storage, torch::ScalarType type) {
    Tensor values = torch::empty({shape.at(static_cast<std::size_t>(q.axis))}, type);
    check(checkpoint_.read_storage(storage, 0,
                                   {static_cast<std::byte*>(values.data_ptr()), values.nbytes()},
                                   info.name, verify_));
    return values;
  };
  Tensor tensor;
  if (q.scheme == QuantizationScheme::kPerTensorAffine) {
    tensor = at::_empty_affine_quantized(shape, options, q.scale, q.zero_point);
  } else {
    const bool floating = q.scheme == QuantizationScheme::kPerChannelAffineFloatQParams;
    tensor = at::_empty_per_channel_affine_quantized(
        shape, parameters(q.scales_storage, floating ? torch::kFloat : torch::kDouble),
        parameters(q.zero_points_storage, floating ? torch::kFloat : torch::kLong), q.axis,
        options);
  }
  if (info.numel() == 0) return tensor;
  Tensor bytes = bytes_of(info);
  if (!info.strides.empty()) {
    // Strides are those of the integers; what is made here is row-major.
    TensorInfo integers = info;
    integers.dtype = dtype_bits(info.dtype) == 32 ? DType::kInt32 : DType::kInt8;
    bytes = typed_view(bytes, integers, 0).contiguous();
  }
  const std::size_t room = tensor.storage().nbytes();  // nbytes() counts packed elements as bytes
  if (bytes.nbytes() != room) {
    throw Error(Status(Code::kUnsupported,
                       "LibTorch keeps " + std::to_string(room) +
                           " bytes of this quantised tensor, the file " +
                           std::to_string(bytes.nbytes()),
                       {.region = Region::kData, .tensor = std::string(info.name)}));
  }
  std::memcpy(tensor.data_ptr(), bytes.const_data_ptr(), bytes.nbytes());
  return tensor;
}

}  // namespace ingot::libtorch
