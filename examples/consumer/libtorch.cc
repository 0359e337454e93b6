// Uses the installed ingot::libtorch: saves a module and its optimizer, loads them into others.
#include "ingot/libtorch.h"

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  using ingot::libtorch::TrainingState;
  torch::nn::Linear model(3, 2);
  torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  model(torch::ones({1, 3})).sum().backward();
  optimizer.step();
  ingot::libtorch::save(argv[1],
                        TrainingState().module("model", model).optimizer("sgd", optimizer));

  torch::nn::Linear other(3, 2);
  torch::optim::SGD again(other->parameters(), torch::optim::SGDOptions(0.5).momentum(0.9));
  ingot::libtorch::load(argv[1], TrainingState().module("model", other).optimizer("sgd", again));
  const bool same = torch::equal(model->weight, other->weight) && again.state().size() == 2;
  std::cout << (same ? "resumed" : "different") << '\n';
  return same ? 0 : 1;
}
