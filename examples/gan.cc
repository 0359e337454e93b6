// Two modules and two optimizers in one file; each loads alone.
//
//   gan FILE
#include <torch/torch.h>

#include <iostream>
#include <string>

#include "ingot/libtorch.h"

namespace nn = torch::nn;
using torch::Tensor;
using torch::optim::Adam;
using torch::optim::AdamOptions;

nn::Sequential make_generator() {
  return nn::Sequential(nn::Linear(4, 16), nn::ReLU(), nn::Linear(16, 2));
}

nn::Sequential make_critic() {
  return nn::Sequential(nn::Linear(2, 16), nn::LeakyReLU(), nn::Linear(16, 1));
}

// One step of each on points of a circle.
void train_step(nn::Sequential& generator, nn::Sequential& critic, Adam& of_generator,
                Adam& of_critic) {
  const Tensor angle = torch::rand({64}) * 6.2831853;
  const Tensor real = torch::stack({angle.cos(), angle.sin()}, 1);
  const Tensor fake = generator->forward(torch::randn({64, 4}));
  of_critic.zero_grad();
  (critic->forward(fake.detach()) - critic->forward(real)).mean().backward();
  of_critic.step();
  of_generator.zero_grad();
  (-critic->forward(fake).mean()).backward();
  of_generator.step();
}

void run(const std::string& path) {
  using ingot::libtorch::TrainingState;
  torch::manual_seed(1);
  nn::Sequential generator = make_generator();
  nn::Sequential critic = make_critic();
  Adam of_generator(generator->parameters(), AdamOptions(1e-3).betas({0.5, 0.9}));
  Adam of_critic(critic->parameters(), AdamOptions(2e-3).betas({0.5, 0.9}));
  std::int64_t epoch = 0;
  for (; epoch < 5; ++epoch) train_step(generator, critic, of_generator, of_critic);

  ingot::libtorch::save(path, TrainingState()
                                  .module("generator", generator)
                                  .module("critic", critic)
                                  .optimizer("of_generator", of_generator)
                                  .optimizer("of_critic", of_critic)
                                  .value("epoch", epoch)
                                  .rng());

  // To sample, the generator is enough.
  nn::Sequential sampler = make_generator();
  ingot::libtorch::load(path, TrainingState().module("generator", sampler));
  const Tensor noise = torch::randn({3, 4});
  TORCH_CHECK(torch::equal(sampler->forward(noise), generator->forward(noise)),
              "the generator differs");
  std::cout << "generator alone: the same samples\n";

  // The critic with its optimizer, for another generator.
  nn::Sequential judge = make_critic();
  Adam of_judge(judge->parameters(), AdamOptions(1));
  ingot::libtorch::load(path,
                        TrainingState().module("critic", judge).optimizer("of_critic", of_judge));
  std::cout << "critic and its optimizer: lr " << of_judge.param_groups().front().options().get_lr()
            << ", state of " << of_judge.state().size() << " parameters\n";
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: gan FILE\n";
    return 64;
  }
  try {
    run(argv[1]);
  } catch (const c10::Error& error) {
    std::cerr << error.what_without_backtrace() << '\n';
    return 1;
  }
  return 0;
}
