#include "tests/libtorch/models.h"

#include <utility>

namespace ingot::libtorch::testing {

namespace optim = torch::optim;
using Groups = std::vector<optim::OptimizerParamGroup>;
using Made = std::unique_ptr<optim::Optimizer>;

NetImpl::NetImpl(std::int64_t width) {
  in = register_module("in", torch::nn::Linear(width, 8));
  norm = register_module("norm", torch::nn::BatchNorm1d(8));
  dropout = register_module("dropout", torch::nn::Dropout(0.25));
  out = register_module("out", torch::nn::Linear(8, 3));
  scale = register_parameter("scale", torch::ones({}));
}

torch::Tensor NetImpl::forward(torch::Tensor x) {
  return out(dropout(torch::relu(norm(in(std::move(x)))))) * scale;
}

std::vector<torch::Tensor> matrices(Net& net) { return {net->in->weight, net->out->weight}; }

std::vector<torch::Tensor> vectors(Net& net) {
  std::vector<torch::Tensor> found;
  for (const torch::Tensor& parameter : net->parameters()) {
    if (parameter.dim() < 2) found.push_back(parameter);
  }
  return found;
}

double train_step(Net& net, optim::Optimizer& optimizer, std::int64_t step) {
  // From the default generator: a resume that loses its state trains on other numbers.
  const torch::Tensor x = torch::randn({5, net->in->options.in_features()});
  const torch::Tensor y = torch::randn({5, 3}) + 0.01 * static_cast<double>(step);
  const auto closure = [&] {
    optimizer.zero_grad();
    torch::Tensor loss = torch::mse_loss(net(x), y);
    loss.backward();
    return loss;
  };
  return optimizer.step(closure).item<double>();
}

namespace {

template <typename Optimizer, typename Options>
OptimizerCase one_group(std::string name, Options options) {
  return {std::move(name), [options](Net& net) -> Made {
            return std::make_unique<Optimizer>(net->parameters(), options);
          }};
}

// Decay for matrices, none for the others, as transformers are trained.
template <typename Optimizer, typename Options>
OptimizerCase two_groups(std::string name, Options options) {
  return {std::move(name), [options](Net& net) -> Made {
            Groups groups;
            groups.emplace_back(matrices(net), std::make_unique<Options>(options));
            groups.back().options().set_lr(options.get_lr() / 2);
            groups.emplace_back(vectors(net), std::make_unique<Options>(options));
            return std::make_unique<Optimizer>(std::move(groups), options);
          }};
}

template <typename Optimizer, typename Options>
OptimizerCase frozen_part(std::string name, Options options) {
  return {std::move(name), [options](Net& net) -> Made {
            for (torch::Tensor& parameter : net->in->parameters())
              parameter.set_requires_grad(false);
            return std::make_unique<Optimizer>(net->parameters(), options);
          }};
}

OptimizerCase late(OptimizerCase what) {
  what.name += ".late";
  what.late = true;
  return what;
}

template <typename Optimizer, typename Options>
void add_shapes(std::vector<OptimizerCase>& cases, const std::string& name, Options options) {
  cases.push_back(one_group<Optimizer>(name, options));
  cases.push_back(two_groups<Optimizer>(name + ".two_groups", options));
  cases.push_back(frozen_part<Optimizer>(name + ".frozen", options));
  cases.push_back(late(two_groups<Optimizer>(name, options)));
}

std::vector<OptimizerCase> make_cases() {
  std::vector<OptimizerCase> cases;
  add_shapes<optim::SGD>(cases, "sgd", optim::SGDOptions(0.05));
  add_shapes<optim::SGD>(cases, "sgd.momentum",
                         optim::SGDOptions(0.05).momentum(0.9).dampening(0.1));
  add_shapes<optim::SGD>(cases, "sgd.nesterov",
                         optim::SGDOptions(0.05).momentum(0.9).nesterov(true).weight_decay(0.01));
  add_shapes<optim::Adam>(cases, "adam", optim::AdamOptions(0.01).betas({0.8, 0.95}));
  add_shapes<optim::Adam>(cases, "adam.amsgrad",
                          optim::AdamOptions(0.01).amsgrad(true).weight_decay(0.1).eps(1e-6));
  add_shapes<optim::AdamW>(cases, "adamw", optim::AdamWOptions(0.01).weight_decay(0.1));
  add_shapes<optim::AdamW>(cases, "adamw.amsgrad", optim::AdamWOptions(0.01).amsgrad(true));
  add_shapes<optim::RMSprop>(cases, "rmsprop", optim::RMSpropOptions(0.01).alpha(0.9));
  add_shapes<optim::RMSprop>(cases, "rmsprop.centered",
                             optim::RMSpropOptions(0.01).centered(true).momentum(0.5));
  add_shapes<optim::Adagrad>(
      cases, "adagrad", optim::AdagradOptions(0.05).lr_decay(0.01).initial_accumulator_value(0.1));
  // It has one group, by its constructor.
  cases.push_back(one_group<optim::LBFGS>("lbfgs", optim::LBFGSOptions(0.1).max_iter(4)));
  cases.push_back(one_group<optim::LBFGS>(
      "lbfgs.wolfe",
      optim::LBFGSOptions(0.5).max_iter(3).max_eval(5).history_size(3).line_search_fn(
          "strong_wolfe")));
  cases.push_back(frozen_part<optim::LBFGS>("lbfgs.frozen", optim::LBFGSOptions(0.1).max_iter(4)));
  cases.push_back(late(one_group<optim::LBFGS>("lbfgs", optim::LBFGSOptions(0.1).max_iter(4))));
  return cases;
}

}  // namespace

const std::vector<OptimizerCase>& optimizer_cases() {
  static const std::vector<OptimizerCase> cases = make_cases();
  return cases;
}

}  // namespace ingot::libtorch::testing
