// A GPU's tensors, by the devices that are taken when nobody says which.
#include <cstdlib>
#include <iostream>

#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

TensorDict tensors_on_gpu() {
  TensorDict tensors;
  const auto on = torch::TensorOptions().device(torch::kCUDA);
  tensors.insert("large", torch::randn({2000, 3000}, on));
  tensors.insert("tied", tensors["large"]);
  tensors.insert("turned", torch::randn({300, 500}, on).t());
  tensors.insert("gaps", torch::randn({300, 500}, on).slice(1, 3, 400));
  tensors.insert("number", torch::full({}, 3.5, on));
  for (int i = 0; i < 100; ++i) {
    tensors.insert("small." + std::to_string(i), torch::full({7 + i}, i, on));
  }
  return tensors;
}

class GpuTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (torch::cuda::is_available()) return;
    const char* required = std::getenv("INGOT_REQUIRE_GPU");
    ASSERT_TRUE(required == nullptr || std::string(required) == "0") << "LibTorch has no GPU";
    std::cout << "skipped, no GPU\n";
    GTEST_SKIP() << "LibTorch has no GPU";
  }
  std::string path() const { return scratch_.path("file.ingot"); }
  ingot::testing::Scratch scratch_;
};

TEST_F(GpuTest, OutAndBack) {
  TensorDict there = tensors_on_gpu();
  TrainingState state;
  for (auto& item : there) state.tensor(item.key(), item.value());
  for (const Snapshot where : {Snapshot::kHost, Snapshot::kDevice}) {
    SaveOptions saving = quick();
    saving.snapshot = where;
    save_async(path(), state, saving).wait();
    for (const Placement placement : {Placement::kInPlace, Placement::kSlab}) {
      const TensorDict back = load_tensors(
          path(), {.placement = placement, .proof = Proof::kArrived, .device = torch::kCUDA});
      for (const auto& item : there) {
        EXPECT_TRUE(torch::equal(item.value(), back[item.key()])) << item.key();
      }
    }
  }
}

TEST_F(GpuTest, InPlaceAfterWhatTheStreamWasGiven) {
  TensorDict there = tensors_on_gpu();
  TrainingState state;
  for (auto& item : there) state.tensor(item.key(), item.value());
  save(path(), state, quick());
  const torch::Tensor expected = there["large"].clone();
  for (int i = 0; i < 200; ++i)
    there["large"].add_(1);  // still going on when the load is asked for
  load(path(), state);
  EXPECT_TRUE(torch::equal(there["large"], expected));
}

TEST_F(GpuTest, GeneratorsGoOnWhereTheyWere) {
  const auto draw = [] {
    return torch::rand({1000}, torch::TensorOptions().device(torch::kCUDA)).cpu();
  };
  torch::cuda::manual_seed_all(7);
  draw();
  save(path(), TrainingState().rng(), quick());
  const torch::Tensor expected = draw();
  torch::cuda::manual_seed_all(8);
  draw();
  load(path(), TrainingState().rng());
  EXPECT_TRUE(torch::equal(draw(), expected));
}

TEST_F(GpuTest, AModuleMovesToTheHostAndBack) {
  torch::nn::Linear model(300, 200);
  model->to(torch::kCUDA);
  const torch::Tensor expected = model->weight.detach().cpu();
  save(path(), model, quick());
  for (const torch::Device device : {torch::Device(torch::kCPU), torch::Device(torch::kCUDA, 0)}) {
    load(path(), model, {.device = device});
    EXPECT_EQ(model->weight.device(), device);
    EXPECT_TRUE(torch::equal(model->weight.detach().cpu(), expected));
  }
}

}  // namespace
}  // namespace ingot::libtorch::testing
