// Who saves and resumes a training run in C++. What has to be durable is so when save() returns.
#pragma once

#include <string>

#include "bench/training/training_run.h"

namespace ingot::bench {

struct Contender {
  void (*save)(TrainingRun& run, const std::string& path);
  void (*resume)(TrainingRun& run, const std::string& path);
};

// "ingot" or "torch-cpp". Throws std::out_of_range when it is neither.
const Contender& contender_named(const std::string& name);

}  // namespace ingot::bench
