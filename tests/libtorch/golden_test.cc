// The golden file of a training run loads into a module and an optimizer: what was written once is
// read for ever.
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using torch::Tensor;
using torch::optim::AdamWOptions;

struct ModelImpl : torch::nn::Module {
  ModelImpl() {
    a = register_parameter("a", torch::zeros({2, 3}));
    b = register_parameter("b", torch::zeros({2, 3}));
    count = register_buffer("count", torch::zeros({}, torch::kLong));
  }
  Tensor a, b, count;
};
TORCH_MODULE(Model);

std::string bits(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

TEST(LibtorchGolden, TrainingRun) {
  const std::string path = INGOT_GOLDENS "/valid/training.ingot";
  Model model;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  for (const Tensor& parameter : model->parameters()) {
    groups.emplace_back(std::vector<Tensor>{parameter}, std::make_unique<AdamWOptions>(0.5));
  }
  torch::optim::AdamW adamw(groups, AdamWOptions(0.5));
  torch::optim::StepLR scheduler(adamw, 4, 0.5);
  int epoch = 0;
  const LoadReport report = load(path,
                                 TrainingState()
                                     .module("model", model)
                                     .optimizer("adamw", adamw)
                                     .scheduler("lr", scheduler)
                                     .value("epoch", epoch),
                                 {.restore_requires_grad = true});
  EXPECT_TRUE(report.exact()) << report.to_string();
  EXPECT_TRUE(report.absent.empty());
  const TensorDict tensors = load_tensors(path);
  EXPECT_EQ(bits(model->a), bits(tensors["model.a"]));
  EXPECT_NE(bits(model->a), bits(model->b));
  EXPECT_EQ(bits(model->count), bits(tensors["model.count"]));
  EXPECT_TRUE(model->a.requires_grad());
  EXPECT_FALSE(model->b.requires_grad());
  EXPECT_EQ(epoch, 3);

  ASSERT_EQ(adamw.state().size(), 1U);
  const auto& state = static_cast<const torch::optim::AdamWParamState&>(
      *adamw.state()[model->a.unsafeGetTensorImpl()]);
  EXPECT_EQ(state.step(), 10);
  EXPECT_EQ(bits(state.exp_avg()), bits(tensors["adamw/model.a/exp_avg"]));
  EXPECT_EQ(bits(state.exp_avg_sq()), bits(tensors["adamw/model.a/exp_avg_sq"]));
  const auto& options = static_cast<const AdamWOptions&>(adamw.param_groups()[0].options());
  EXPECT_EQ(options.weight_decay(), 0.1);
  EXPECT_EQ(options.lr(), 0.001);
  for (int step = 10; step < 12; ++step) scheduler.step();
  EXPECT_EQ(options.lr(), 0.001);
  scheduler.step();  // the twelfth, a multiple of four
  EXPECT_EQ(options.lr(), 0.0005);
}

}  // namespace
}  // namespace ingot::libtorch::testing
