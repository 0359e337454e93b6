#include "libtorch/encode.h"
#include "libtorch/error.h"

namespace ingot::libtorch {

WriteReport save(const std::string& path, const TrainingState& state, const SaveOptions& options) {
  return write(path, plan_save(state.parts()), options);
}

WriteReport save(const std::string& path, torch::nn::Module& module, const SaveOptions& options) {
  return save(path, TrainingState().module("", module), options);
}

WriteReport save_tensors(const std::string& path, const TensorDict& tensors,
                         const SaveOptions& options) {
  Draft draft;
  for (const auto& item : tensors) draft.add(item.key(), item.value(), Role::kParameter);
  return write(path, std::move(draft).plan(), options);
}

}  // namespace ingot::libtorch
