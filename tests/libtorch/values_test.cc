// Values of the state tree, schedulers, generators, a gradient scaler.
#include <limits>
#include <set>

#include "ingot/checkpoint.h"

#include "tests/libtorch/models.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using ::testing::ElementsAre;
using torch::Tensor;

class ValuesTest : public ::testing::Test {
 protected:
  std::string path() const { return scratch_.path("file.ingot"); }
  ingot::testing::Scratch scratch_;
};

TEST_F(ValuesTest, EveryType) {
  struct Progress {
    bool flag = false;
    int small = 0;
    std::int64_t large = 0;
    std::uint8_t tiny = 0;
    float single = 0;
    double real = 0;
    std::string text;
    std::vector<double> list;
    std::map<std::string, std::vector<std::int64_t>> dict;
    std::optional<double> best;
    std::optional<double> none = 1.0;
    StateValue tree;
    TrainingState state() {
      return TrainingState()
          .value("flag", flag)
          .value("small", small)
          .value("large", large)
          .value("tiny", tiny)
          .value("single", single)
          .value("real", real)
          .value("text", text)
          .value("list", list)
          .value("dict", dict)
          .value("best", best)
          .value("none", none)
          .value("tree", tree);
    }
  };
  Progress saved{true,      -3,           std::numeric_limits<std::int64_t>::min(),
                 255,       0.1F,         0.1,
                 "text \n", {1, 2.5},     {{"a", {1, 2}}, {"b", {}}},
                 0.5,       std::nullopt, {}};
  saved.tree = StateValue::dict();
  saved.tree.set(7, StateValue::tuple({StateValue::null(), StateValue::boolean(true)}));
  saved.tree.set("bytes", StateValue::bytes({std::byte{0}, std::byte{255}}));
  save(path(), saved.state(), quick());
  Progress loaded;
  EXPECT_TRUE(load(path(), loaded.state()).exact());
  EXPECT_EQ(loaded.flag, true);
  EXPECT_EQ(loaded.small, -3);
  EXPECT_EQ(loaded.large, saved.large);
  EXPECT_EQ(loaded.tiny, 255);
  EXPECT_EQ(loaded.single, 0.1F);
  EXPECT_EQ(loaded.real, 0.1);
  EXPECT_EQ(loaded.text, saved.text);
  EXPECT_EQ(loaded.list, saved.list);
  EXPECT_EQ(loaded.dict, saved.dict);
  EXPECT_EQ(loaded.best, saved.best);
  EXPECT_EQ(loaded.none, std::nullopt);
  EXPECT_EQ(loaded.tree.find(7)->items().size(), 2U);
  EXPECT_EQ(loaded.tree.find("bytes")->as_bytes().size(), 2U);
}

TEST_F(ValuesTest, Nested) {
  using Rows = std::vector<std::map<std::string, std::vector<std::optional<double>>>>;
  Rows saved = {{{"a", {1.5, std::nullopt}}}, {}};
  std::map<std::string, std::optional<std::vector<int>>> dict = {{"x", std::vector<int>{1}},
                                                                 {"y", std::nullopt}};
  save(path(), TrainingState().value("rows", saved).value("dict", dict), quick());
  Rows rows;
  decltype(dict) other;
  EXPECT_TRUE(load(path(), TrainingState().value("rows", rows).value("dict", other)).exact());
  EXPECT_EQ(rows, saved);
  EXPECT_EQ(other, dict);
}

// A tensor that a value names: by the name that it has in the file.
TEST_F(ValuesTest, ReferencesToTensors) {
  Tensor weight = torch::ones({3});
  Tensor other = torch::zeros({2});
  StateValue saved = StateValue::dict();
  saved.set("best", StateValue::list({StateValue::tensor("other"), StateValue::tensor("weight")}));
  std::map<std::string, StateValue> nested = {{"x", StateValue::tensor("weight")}};
  const TrainingState tensors = TrainingState().tensor("weight", weight).tensor("other", other);
  save(path(), TrainingState(tensors).value("tree", saved).value("nested", nested), quick());
  StateValue tree;
  std::map<std::string, StateValue> loaded;
  EXPECT_TRUE(
      load(path(), TrainingState(tensors).value("tree", tree).value("nested", loaded)).exact());
  const StateValue& best = *tree.find("best");
  ASSERT_EQ(best.items().size(), 2U);
  EXPECT_EQ(best.items()[0].kind(), StateKind::kTensor);
  EXPECT_EQ(best.items()[0].text(), "other");
  EXPECT_EQ(best.items()[1].text(), "weight");
  EXPECT_EQ(loaded.at("x").text(), "weight");
  // What was loaded can be saved: the same file again.
  const auto root = Checkpoint::open(path())->file().root;
  save(path(), TrainingState(tensors).value("tree", tree).value("nested", loaded), quick());
  EXPECT_EQ(Checkpoint::open(path())->file().root, root);
}

TEST_F(ValuesTest, GeneratorsOfAnotherFormChangeNothing) {
  const auto attempt = [&](StateValue cuda) {
    WritePlan plan;
    const TensorId id =
        plan.add({.name = "w", .dtype = DType::kFloat32, .shape = {2}, .role = Role::kOther});
    StateValue root = StateValue::dict();
    root.set("rng", StateValue::dict()).set("cuda", std::move(cuda));
    plan.set_state(std::move(root));
    Writer writer = *Writer::create(path(), plan);
    EXPECT_TRUE(writer.write(id, std::vector<std::byte>(8)).ok());
    EXPECT_TRUE(writer.commit().ok());
    return code_of([&] { load(path(), TrainingState().rng()); });
  };
  EXPECT_EQ(attempt(StateValue::list()), Code::kOk);
  EXPECT_EQ(attempt(StateValue::tensor("w")), Code::kRejected);
  EXPECT_EQ(attempt(StateValue::integer(1)), Code::kRejected);
  EXPECT_EQ(attempt(StateValue::list({StateValue::tensor("w")})), Code::kRejected);  // no bytes
}

TEST_F(ValuesTest, AStateThatNoGeneratorTakesChangesNothing) {
  WritePlan plan;
  const TensorId id =
      plan.add({.name = "rng/cpu", .dtype = DType::kUInt8, .shape = {16}, .role = Role::kOther});
  StateValue root = StateValue::dict();
  root.set("rng", StateValue::dict()).set("cpu", StateValue::tensor("rng/cpu"));
  root.set("values", StateValue::dict()).set("epoch", StateValue::integer(3));
  plan.set_state(std::move(root));
  Writer writer = *Writer::create(path(), plan);
  ASSERT_TRUE(writer.write(id, std::vector<std::byte>(16)).ok());
  ASSERT_TRUE(writer.commit().ok());
  int epoch = 0;
  EXPECT_EQ(code_of([&] { load(path(), TrainingState().value("epoch", epoch).rng()); }),
            Code::kRejected);
  EXPECT_EQ(epoch, 0);
}

TEST_F(ValuesTest, OtherTypesAreMismatchesAndChangeNothing) {
  std::string text = "x";
  std::int64_t large = 300;
  double real = 0.5;
  save(path(), TrainingState().value("a", text).value("b", large).value("c", real), quick());
  double wrong = 7;
  std::uint8_t narrow = 7;
  int integer = 7;
  double kept = 1;
  const TrainingState state =
      TrainingState().value("a", wrong).value("b", narrow).value("c", integer);
  try {
    load(path(), state);
    FAIL() << "no error";
  } catch (const MismatchError& error) {
    ASSERT_EQ(error.report().values.size(), 3U);
    EXPECT_EQ(error.report().values[0].name, "value a");
    EXPECT_EQ(error.report().values[0].found, "string");
  }
  load(path(), TrainingState(state).value("d", kept), {.strict = false});
  EXPECT_EQ(wrong, 7);
  EXPECT_EQ(narrow, 7);
  EXPECT_EQ(integer, 7);
}

TEST_F(ValuesTest, WhatTheFileLacksIsToldAndKept) {
  int epoch = 3;
  save(path(), TrainingState().value("epoch", epoch), quick());
  int other = 4;
  Net net;
  torch::optim::SGD sgd(net->parameters(), 0.1);
  torch::optim::StepLR scheduler(sgd, 1);
  const LoadReport report = load(
      path(),
      TrainingState().value("epoch", epoch).value("other", other).scheduler("lr", scheduler).rng());
  EXPECT_THAT(report.absent, ElementsAre("scheduler lr", "value other", "rng"));
  EXPECT_EQ(other, 4);
}

TEST_F(ValuesTest, LargeUnsignedIntegersAreRefused) {
  std::uint64_t value = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THROW(save(path(), TrainingState().value("v", value), quick()), c10::Error);
}

TEST_F(ValuesTest, GeneratorsGoOnWhereTheyWere) {
  torch::manual_seed(5);
  torch::rand({10});
  torch::randn({3});  // leaves half of a pair behind
  save(path(), TrainingState().rng(), quick());
  const Tensor uniform = torch::rand({5});
  const Tensor normal = torch::randn({5});
  torch::manual_seed(6);
  load(path(), TrainingState().rng());
  EXPECT_TRUE(torch::equal(torch::rand({5}), uniform));
  EXPECT_TRUE(torch::equal(torch::randn({5}), normal));
}

TEST_F(ValuesTest, StepSchedulerGoesOn) {
  const auto rates = [&](bool resumes) {
    Net net;
    torch::optim::SGD sgd(net->parameters(), 1.0);
    torch::optim::StepLR scheduler(sgd, 3, 0.5);
    const TrainingState state =
        TrainingState().module("m", net).optimizer("sgd", sgd).scheduler("lr", scheduler);
    std::vector<double> seen;
    for (int step = 0; step < 7; ++step) {
      if (step == 4 && resumes) {
        save(path(), state, quick());
        torch::optim::SGD other(net->parameters(), 1.0);
        torch::optim::StepLR fresh(other, 3, 0.5);
        load(path(),
             TrainingState().module("m", net).optimizer("sgd", other).scheduler("lr", fresh));
        for (; step < 7; ++step) {
          fresh.step();
          seen.push_back(other.param_groups()[0].options().get_lr());
        }
        return seen;
      }
      scheduler.step();
      seen.push_back(sgd.param_groups()[0].options().get_lr());
    }
    return seen;
  };
  EXPECT_EQ(rates(true), rates(false));
}

// A program's own: its counter is kept, its settings are the program's.
TEST_F(ValuesTest, ASchedulerOfTheProgramsOwn) {
  struct Sawtooth : torch::optim::LRScheduler {
    explicit Sawtooth(torch::optim::Optimizer& optimizer) : LRScheduler(optimizer) {}
    std::vector<double> get_lrs() override { return {step_count_ % 3 + 1.0}; }
  };
  Net net;
  torch::optim::SGD sgd(net->parameters(), 1.0);
  Sawtooth stored(sgd);
  for (int step = 0; step < 4; ++step) stored.step();
  save(path(), TrainingState().scheduler("lr", stored), quick());
  stored.step();
  const double next = sgd.param_groups()[0].options().get_lr();
  torch::optim::SGD other(net->parameters(), 1.0);
  Sawtooth live(other);
  EXPECT_TRUE(load(path(), TrainingState().scheduler("lr", live)).exact());
  live.step();
  EXPECT_EQ(other.param_groups()[0].options().get_lr(), next);
}

TEST_F(ValuesTest, PlateauSchedulerGoesOn) {
  using torch::optim::ReduceLROnPlateauScheduler;
  const std::vector<float> losses = {5, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3};
  const auto rates = [&](std::size_t resume_at) {
    Net net;
    torch::optim::SGD sgd(net->parameters(), 1.0);
    auto scheduler = std::make_unique<ReduceLROnPlateauScheduler>(
        sgd, ReduceLROnPlateauScheduler::min, 0.5, 1, 1e-4, ReduceLROnPlateauScheduler::rel, 1);
    std::vector<double> seen;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      if (i == resume_at) {
        save(path(), TrainingState().scheduler("lr", *scheduler), quick());
        scheduler = std::make_unique<ReduceLROnPlateauScheduler>(
            sgd, ReduceLROnPlateauScheduler::min, 0.5, 1, 1e-4, ReduceLROnPlateauScheduler::rel, 1);
        load(path(), TrainingState().scheduler("lr", *scheduler));
      }
      scheduler->step(losses[i]);
      seen.push_back(sgd.param_groups()[0].options().get_lr());
    }
    return seen;
  };
  const std::vector<double> whole = rates(losses.size());
  EXPECT_LT(whole.back(), 0.3);
  for (std::size_t at = 1; at < losses.size(); ++at) EXPECT_EQ(rates(at), whole) << at;
}

TEST_F(ValuesTest, ASchedulerOfAnotherClassIsAMismatch) {
  Net net;
  torch::optim::SGD sgd(net->parameters(), 1.0);
  torch::optim::StepLR step(sgd, 3);
  torch::optim::ReduceLROnPlateauScheduler plateau(sgd);
  save(path(), TrainingState().scheduler("lr", step), quick());
  EXPECT_THROW(load(path(), TrainingState().scheduler("lr", plateau)), MismatchError);
}

// As Python's torch.amp.GradScaler works, of LibTorch's own kernels; it has no such class.
struct GradScaler {
  Tensor scale = torch::full({}, 0x1p126F);
  Tensor growth_tracker = torch::zeros({}, torch::kInt);

  void step(torch::optim::Optimizer& optimizer, const Tensor& loss) {
    optimizer.zero_grad();
    (loss * scale).backward();
    std::vector<Tensor> grads;
    for (const Tensor& param : optimizer.param_groups()[0].params()) grads.push_back(param.grad());
    Tensor found_inf = torch::zeros({});
    at::_amp_foreach_non_finite_check_and_unscale_(grads, found_inf, scale.reciprocal());
    if (found_inf.item<float>() == 0) optimizer.step();
    at::_amp_update_scale_(scale, growth_tracker, found_inf, 2.0, 0.5, /*growth_interval=*/2);
  }
};

// A type of the program's own becomes a value by these two.
StateValue to_state(const GradScaler& scaler) {
  StateValue dict = StateValue::dict();
  dict.set("scale", StateValue::real(scaler.scale.item<double>()));
  dict.set("_growth_tracker", StateValue::integer(scaler.growth_tracker.item<std::int64_t>()));
  return dict;
}
bool from_state(const StateView& view, GradScaler& scaler) {
  const auto scale = view.find("scale");
  const auto growth_tracker = view.find("_growth_tracker");
  if (!scale || !growth_tracker) return false;
  scaler.scale.fill_(scale->as_float64());
  scaler.growth_tracker.fill_(growth_tracker->as_int64());
  return true;
}

struct ScaledRun {
  Net net;
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.01).momentum(0.9)};
  GradScaler scaler;
  TrainingState state() {
    return TrainingState().module("model", net).optimizer("sgd", sgd).value("scaler", scaler).rng();
  }
  // The loss, and the scale after the step.
  std::pair<double, double> step() {
    const Tensor loss = 100 * torch::mse_loss(net(torch::randn({5, 6})), torch::randn({5, 3}));
    scaler.step(sgd, loss);
    return {loss.item<double>(), scaler.scale.item<double>()};
  }
};

TEST_F(ValuesTest, GradientScalerGoesOn) {
  constexpr int kSteps = 12;
  const auto losses_and_scales = [&](int resume_at) {
    torch::manual_seed(3);
    auto run = std::make_unique<ScaledRun>();
    std::vector<std::pair<double, double>> seen;
    for (int step = 0; step < kSteps; ++step) {
      if (step == resume_at) {
        save(path(), run->state(), quick());
        run = std::make_unique<ScaledRun>();
        EXPECT_TRUE(load(path(), run->state()).exact());
      }
      seen.push_back(run->step());
    }
    return seen;
  };
  const auto whole = losses_and_scales(-1);
  // Gradients overflowed, steps were left out, and the scale grew again.
  std::set<int> changes;
  for (std::size_t i = 1; i < whole.size(); ++i) {
    changes.insert(whole[i].second < whole[i - 1].second   ? -1
                   : whole[i].second > whole[i - 1].second ? 1
                                                           : 0);
  }
  EXPECT_THAT(changes, ElementsAre(-1, 0, 1));
  for (int at = 1; at < kSteps; ++at) EXPECT_EQ(losses_and_scales(at), whole) << at;
}

}  // namespace
}  // namespace ingot::libtorch::testing
