#include "libtorch/transfers.h"

#include "libtorch/error.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

StreamVerify verify_of(Proof proof) {
  switch (proof) {
    case Proof::kNone:
      return StreamVerify::kNone;
    case Proof::kArrived:
      return StreamVerify::kOnDevice;
    case Proof::kBefore:
    case Proof::kDuring:
      break;
  }
  return StreamVerify::kTouched;
}

StreamOptions stream_options(const TransferOptions& options) {
  StreamOptions stream;
  stream.verify = verify_of(options.proof);
  stream.staging_bytes = options.staging_bytes;
  stream.threads = options.threads;
  return stream;
}

// Whole pages of the file go where whole pages of the memory are.
constexpr std::uint64_t kPage = 4096;

std::uintptr_t address(const void* data) { return reinterpret_cast<std::uintptr_t>(data); }

DeviceSpan span_of(const Tensor& bytes, std::uint64_t offset, std::uint64_t count) {
  return {static_cast<std::byte*>(bytes.data_ptr()) + offset, count};
}

}  // namespace

Transfers::Transfers(const Checkpoint& checkpoint, TransferOptions options)
    : checkpoint_(checkpoint),
      options_(stream_options(options)),
      devices_(std::move(options.devices)),
      scattered_(checkpoint) {}

Destination Transfers::destination(const Tensor& tensor, std::uint64_t bytes) {
  return {devices_.of(tensor.device()), span_of(tensor, 0, bytes)};
}

bool Transfers::claim(const Destination& destination) {
  const std::uintptr_t begin = address(destination.memory.data);
  const std::uintptr_t end = begin + destination.memory.bytes;
  const auto next = claimed_.lower_bound({destination.device, begin});
  if (next != claimed_.end() && next->first.first == destination.device &&
      next->first.second < end) {
    return false;
  }
  if (next != claimed_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first.first == destination.device && previous->second > begin) return false;
  }
  claimed_.emplace_hint(next, std::pair(destination.device, begin), end);
  return true;
}

bool Transfers::add(const TensorInfo& info, const Tensor& tensor) {
  const Destination to = destination(tensor, info.bytes);
  if (info.bytes == 0) return true;
  if (!claim(to)) return false;
  check(scattered_.add(info, to));
  tensors_.push_back(tensor);
  return true;
}

void Transfers::add_storage(const TensorInfo& owner, const Tensor& bytes) {
  if (bytes.numel() == 0) return;
  check(scattered_.add_storage(owner.storage, 0, destination(bytes, bytes.nbytes()), owner.name));
  tensors_.push_back(bytes);
}

std::vector<std::pair<std::uint32_t, Tensor>> Transfers::add_slab(
    const std::vector<std::uint32_t>& storages, torch::Device device) {
  LoadPlan plan = take(LoadPlan::for_storages(checkpoint_, storages));
  const auto bytes = static_cast<std::int64_t>(plan.slab_bytes());
  const Tensor memory = torch::empty({bytes + static_cast<std::int64_t>(kPage)},
                                     torch::TensorOptions(torch::kByte).device(device));
  const auto skip = static_cast<std::int64_t>((kPage - address(memory.data_ptr()) % kPage) % kPage);
  const Tensor slab = memory.narrow(0, skip, bytes);
  std::vector<std::pair<std::uint32_t, Tensor>> views;
  for (const std::uint32_t storage : storages) {
    const auto begin = static_cast<std::int64_t>(plan.slab_offset(storage).value());
    const auto length = static_cast<std::int64_t>(checkpoint_.storage(storage).bytes);
    views.emplace_back(storage, slab.narrow(0, begin, length));
  }
  slabs_.push_back({std::move(plan), slab});
  return views;
}

void Transfers::run() {
  if (slabs_.empty() && tensors_.empty()) return;
  devices_.settle();
  for (const Slab& slab : slabs_) {
    check(stream(slab.plan, *devices_.of(slab.memory.device()),
                 span_of(slab.memory, 0, slab.plan.slab_bytes()), options_)
              .status());
  }
  if (!tensors_.empty()) check(stream(scattered_, options_).status());
  slabs_.clear();
  tensors_.clear();
}

}  // namespace ingot::libtorch
