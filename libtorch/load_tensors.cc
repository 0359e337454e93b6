#include "libtorch/devices.h"
#include "libtorch/error.h"
#include "libtorch/proof.h"
#include "libtorch/read.h"

namespace ingot::libtorch {

TensorDict load_tensors(const std::string& path, const TensorsOptions& options) {
  const Checkpoint checkpoint = take(Checkpoint::open(path, options.open));
  std::vector<TensorInfo> wanted;
  checkpoint.for_each({.role = options.role, .prefix = options.prefix},
                      [&](const TensorInfo& info) { wanted.push_back(info); });
  const torch::Device device = with_index(options.device);
  const bool views = options.placement == Placement::kAssign && device.is_cpu();
  if (proves_before(options.proof, views)) {
    std::vector<std::string> names;
    names.reserve(wanted.size());
    for (const TensorInfo& info : wanted) names.emplace_back(info.name);
    prove_tensors(checkpoint, std::move(names), options.threads);
  }
  TensorReader reader(checkpoint,
                      {options.proof, options.devices, options.staging_bytes, options.threads});
  if (options.placement == Placement::kSlab) reader.make_slab(wanted, device);
  TensorDict tensors;
  tensors.reserve(wanted.size());
  for (const TensorInfo& info : wanted) {
    torch::Tensor tensor =
        views && TensorReader::can_view(info) ? reader.view(info) : reader.read_tied(info, device);
    tensors.insert(std::string(info.name), std::move(tensor));
  }
  reader.finish();
  settle(device);  // from what LibTorch was asked to move
  return tensors;
}

}  // namespace ingot::libtorch
