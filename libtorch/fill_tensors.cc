#include "libtorch/fill_tensors.h"

#include <map>
#include <string>
#include <unordered_set>

namespace ingot::libtorch {

using torch::Tensor;

namespace {

torch::Device device_of(const TensorMatch& match, const LoadOptions& options) {
  const Tensor& live = match.live.tensor;
  return options.device.value_or(live.defined() ? live.device() : torch::Device(torch::kCPU));
}

// One a device.
void make_slabs(TensorReader& reader, const std::vector<TensorMatch>& matches,
                const LoadOptions& options) {
  std::map<std::string, std::vector<TensorInfo>> by_device;
  for (const TensorMatch& match : matches) {
    if (match.live.tensor.defined() && match.live.tensor.is_quantized()) continue;
    by_device[device_of(match, options).str()].push_back(match.info);
  }
  for (const auto& [device, tensors] : by_device) reader.make_slab(tensors, torch::Device(device));
}

// The memory that a live tensor gets; undefined: it keeps its own.
Tensor other_memory(TensorReader& reader, const TensorMatch& match, const LoadOptions& options) {
  const Tensor& live = match.live.tensor;
  const torch::Device device = device_of(match, options);
  // A quantised tensor's scale is not memory of the tensor.
  if (!live.defined() || live.is_quantized()) return reader.read_tied(match.info, device);
  if (TensorReader::can_view(match.info)) {
    if (options.placement == Placement::kSlab) return reader.read_tied(match.info, device);
    if (options.placement == Placement::kAssign && device.is_cpu()) return reader.view(match.info);
  }
  return device == live.device() ? Tensor() : reader.read(match.info, device);
}

void fill(TensorReader& reader, TensorMatch& match, const LoadOptions& options) {
  Tensor& live = match.live.tensor;
  const Tensor memory = other_memory(reader, match, options);
  if (!memory.defined()) {
    reader.read_into(match.info, live);
  } else if (live.defined()) {
    live.set_data(memory);
  } else {
    *match.live.slot = live = memory;
  }
}

void restore_requires_grad(std::vector<TensorMatch>& matches) {
  for (TensorMatch& match : matches) {
    if (match.live.tensor.is_floating_point() || match.live.tensor.is_complex()) {
      match.live.tensor.set_requires_grad(match.info.requires_grad);
    }
  }
}

}  // namespace

void check_moves(const std::vector<TensorMatch>& matches, const LoadOptions& options) {
  for (const TensorMatch& match : matches) {
    const Tensor& live = match.live.tensor;
    const torch::Device device = device_of(match, options);
    if (!live.defined() || live.device().type() == device.type()) continue;
    const Tensor there = torch::empty({0}, torch::TensorOptions(torch::kByte).device(device));
    if (torch::_has_compatible_shallow_copy_type(live, there)) continue;
    throw Error(Status(Code::kUnsupported,
                       match.live.name + ": LibTorch cannot move a tensor from " +
                           live.device().str() + " to " + device.str() + "; make the module there",
                       {.region = Region::kNone, .tensor = match.live.name}));
  }
}

std::uint64_t fill_tensors(TensorReader& reader, std::vector<TensorMatch>& matches,
                           const LoadOptions& options) {
  const torch::NoGradGuard no_grad;
  std::uint64_t bytes = 0;
  if (options.placement == Placement::kSlab) make_slabs(reader, matches, options);
  std::unordered_set<const void*> seen;  // a tied tensor is read once
  for (TensorMatch& match : matches) {
    bytes += match.info.bytes;
    const Tensor& live = match.live.tensor;
    if (live.defined() && !seen.insert(live.unsafeGetTensorImpl()).second) continue;
    fill(reader, match, options);
  }
  if (options.restore_requires_grad) restore_requires_grad(matches);
  return bytes;
}

}  // namespace ingot::libtorch
