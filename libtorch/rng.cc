#include "libtorch/rng.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include <mutex>

#include "libtorch/error.h"

namespace ingot::libtorch {
namespace {

int cuda_devices() { return static_cast<int>(torch::cuda::device_count()); }

at::Generator cuda_generator(int device) {
  return at::globalContext().defaultGenerator(
      at::Device(at::kCUDA, static_cast<at::DeviceIndex>(device)));
}

StateValue store(Draft& draft, const std::string& name, const at::Generator& generator) {
  draft.add(name, generator.get_state(), Role::kOther);
  return StateValue::tensor(name);
}

TensorInfo tensor_of(const Checkpoint& checkpoint, const StateView& view) {
  if (view.kind() != StateKind::kTensor) raise(Code::kRejected, "rng: not a tensor");
  TensorInfo info = checkpoint.info(view.as_tensor());
  if (info.dtype != DType::kUInt8 || info.shape.size() != 1 || !info.is_contiguous()) {
    raise(Code::kRejected, "rng: a generator's state is not a vector of bytes");
  }
  return info;
}

}  // namespace

StateValue save_rng(Draft& draft) {
  StateValue rng = StateValue::dict();
  rng.set("cpu", store(draft, "rng/cpu", at::detail::getDefaultCPUGenerator()));
  const int devices = cuda_devices();
  if (devices == 0) return rng;
  StateValue& cuda = rng.set("cuda", StateValue::list());
  for (int device = 0; device < devices; ++device) {
    cuda.append(store(draft, "rng/cuda/" + std::to_string(device), cuda_generator(device)));
  }
  return rng;
}

std::vector<RngState> find_rng(const Checkpoint& checkpoint, const StateView& rng) {
  std::vector<RngState> states;
  if (rng.kind() != StateKind::kDict) raise(Code::kRejected, "rng: not a dict");
  if (const auto cpu = rng.find("cpu")) {
    states.push_back({at::detail::getDefaultCPUGenerator(), tensor_of(checkpoint, *cpu)});
  }
  const auto cuda = rng.find("cuda");
  if (!cuda) return states;
  if (cuda->kind() != StateKind::kList && cuda->kind() != StateKind::kTuple) {
    raise(Code::kRejected,
          "rng: \"cuda\" is not a list but of type " + std::string(state_kind_name(cuda->kind())));
  }
  const int devices = cuda_devices();
  int device = 0;
  for (auto child = cuda->first_child(); child; child = child->next_sibling(), ++device) {
    const TensorInfo state = tensor_of(checkpoint, *child);
    if (device < devices) states.push_back({cuda_generator(device), state});
  }
  return states;
}

std::function<void()> setting(const at::Generator& generator, const torch::Tensor& state) {
  const auto set = [](at::Generator& target, const torch::Tensor& bytes) {
    const std::lock_guard<std::mutex> lock(target.mutex());
    target.set_state(bytes);
  };
  try {
    at::Generator copy = generator.clone();
    set(copy, state);
  } catch (const c10::Error& error) {
    raise(Code::kRejected,
          std::string("the file's generator state is none: ") + error.what_without_backtrace());
  }
  return [set, target = generator, state]() mutable { set(target, state); };
}

}  // namespace ingot::libtorch
