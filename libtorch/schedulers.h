// The counters of LibTorch's learning-rate schedulers.
#pragma once

#include <string>

#include "libtorch/parts.h"

namespace ingot::libtorch {

Parts::Value scheduler_part(std::string name, torch::optim::LRScheduler& scheduler);
Parts::Value scheduler_part(std::string name, torch::optim::ReduceLROnPlateauScheduler& scheduler);

}  // namespace ingot::libtorch
