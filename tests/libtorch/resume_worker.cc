// Trains every case of optimizer_cases(), in one of three ways, for resume_test.cc:
//   resume_worker whole FOLDER     six steps
//   resume_worker first FOLDER     three steps
//   resume_worker second FOLDER    three more, from what `first` saved
// and saves the state of each to FOLDER/<case>.<way>.ingot.
#include <iostream>
#include <string>

#include "tests/libtorch/models.h"

namespace ingot::libtorch::testing {
namespace {

constexpr std::int64_t kSteps = 3;

void run(const OptimizerCase& what, const std::string& way, const std::string& folder) {
  const std::string stem = folder + "/" + what.name + ".";
  const bool resumes = way == "second";
  // A resumed run starts from other numbers: all of it must come from the file.
  torch::manual_seed(resumes ? 99 : 7);
  Net net;
  const auto optimizer = what.make(net);
  torch::optim::StepLR scheduler(*optimizer, /*step_size=*/2, /*gamma=*/0.5);
  std::int64_t step = 0;
  std::vector<double> losses;
  const TrainingState state = TrainingState()
                                  .module("model", net)
                                  .optimizer("optimizer", *optimizer)
                                  .scheduler("lr", scheduler)
                                  .value("step", step)
                                  .value("losses", losses)
                                  .rng();
  if (resumes) load(stem + "first.ingot", state);
  const std::int64_t end = way == "first" ? kSteps : 2 * kSteps;
  for (; step < end; ++step) {
    if (what.late && step < kSteps) {
      torch::NoGradGuard no_grad;  // the network goes on (buffers, generator), the optimizer waits
      losses.push_back(net(torch::randn({5, 6})).sum().item<double>());
      continue;
    }
    losses.push_back(train_step(net, *optimizer, step));
    scheduler.step();
  }
  save(stem + way + ".ingot", state, {.writer = {.durability = Durability::kNone}});
}

}  // namespace
}  // namespace ingot::libtorch::testing

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  torch::set_num_threads(1);
  try {
    for (const auto& what : ingot::libtorch::testing::optimizer_cases()) {
      ingot::libtorch::testing::run(what, argv[1], argv[2]);
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
