// States that lack what LibTorch's step() takes unseen: options switched on since the save, files
// of other programs, malformed ones.
#include "tests/libtorch/models.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

namespace optim = torch::optim;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using torch::Tensor;

OptionsFrom of_the_program(std::string_view, std::size_t) { return OptionsFrom::kOptimizer; }

template <typename State>
State& state_of(optim::Optimizer& optimizer, const Tensor& param) {
  return static_cast<State&>(*optimizer.state().at(param.unsafeGetTensorImpl()));
}

// The optimizer "opt" of one float parameter "w" with two elements, made by hand.
class HandMade {
 public:
  explicit HandMade(std::string class_name) {
    plan_.add({.name = "w", .shape = {2}});
    class_name_ = std::move(class_name);
  }
  // A state entry that is a tensor of zeros, under "opt/<name>".
  StateValue tensor(const std::string& name, std::vector<std::int64_t> shape,
                    DType dtype = DType::kFloat32) {
    plan_.add({.name = "opt/" + name,
               .dtype = dtype,
               .shape = std::move(shape),
               .role = Role::kOptimizerState});
    return StateValue::tensor("opt/" + name);
  }
  HandMade& entry(const std::string& name, StateValue value) {
    entries_.set(name, std::move(value));
    return *this;
  }
  HandMade& option(const std::string& name, StateValue value) {
    group_.set(name, std::move(value));
    return *this;
  }
  void write(const std::string& path) {
    StateValue root = StateValue::dict();
    StateValue& dict = root.set("optimizers", StateValue::dict()).set("opt", StateValue::dict());
    dict.set("class", StateValue::string(class_name_));
    dict.set("state", StateValue::dict()).set(0, entries_);
    group_.set("params", StateValue::list({StateValue::integer(0)}));
    group_.set("param_names", StateValue::list({StateValue::string("w")}));
    dict.set("param_groups", StateValue::list({group_}));
    plan_.set_state(std::move(root));
    Writer writer = *Writer::create(path, plan_, {.durability = Durability::kNone});
    for (std::uint32_t i = 0; i < plan_.storage_bytes().size(); ++i) {
      const std::vector<std::byte> zeros(plan_.storage_bytes()[i]);
      ASSERT_TRUE(writer.write(StorageId{i}, zeros).ok());
    }
    const Status status = writer.commit();
    ASSERT_TRUE(status.ok()) << status.to_string();
  }

 private:
  WritePlan plan_;
  std::string class_name_;
  StateValue entries_ = StateValue::dict();
  StateValue group_ = StateValue::dict();
};

class CompleteStateTest : public ::testing::Test {
 protected:
  std::string path() const { return scratch_.path("file.ingot"); }
  TrainingState state(optim::Optimizer& optimizer) {
    return TrainingState().tensor("w", w_).optimizer("opt", optimizer);
  }
  // A load that must fail with this in its message, and change nothing.
  void expect_rejected(HandMade file, optim::Optimizer& optimizer, const std::string& why) {
    file.write(path());
    for (const bool strict : {true, false}) {
      const auto attempt = [&] { load(path(), state(optimizer), {.strict = strict}); };
      EXPECT_EQ(code_of(attempt), Code::kRejected) << why;
      EXPECT_THAT(message_of(attempt), HasSubstr(why));
    }
    EXPECT_TRUE((w_ == 1).all().item<bool>());
    EXPECT_TRUE(optimizer.state().empty());
  }

  ingot::testing::Scratch scratch_;
  Tensor w_ = torch::ones({2}, torch::requires_grad());
};

// Saves after a step of `stored`, loads into `live` whose own options win, and steps.
LoadReport switch_on(const std::string& path, Net& net, optim::Optimizer& stored,
                     optim::Optimizer& live) {
  train_step(net, stored, 0);
  const TrainingState model = TrainingState().module("model", net);
  save(path, TrainingState(model).optimizer("opt", stored), quick());
  LoadReport report =
      load(path, TrainingState(model).optimizer("opt", live), {.options_from = of_the_program});
  train_step(net, live, 1);  // LibTorch throws here when something lacks
  return report;
}

TEST_F(CompleteStateTest, AmsgradSwitchedOn) {
  Net net;
  optim::Adam adam(net->parameters(), optim::AdamOptions(0.1));
  optim::Adam live(net->parameters(), optim::AdamOptions(0.1).amsgrad(true));
  const LoadReport report = switch_on(path(), net, adam, live);
  EXPECT_TRUE(report.exact());
  EXPECT_EQ(report.optimizers[0].started.size(), 7U);
  EXPECT_EQ(report.optimizers[0].started[1], "model.in.weight: max_exp_avg_sq");
  EXPECT_THAT(report.to_string(), HasSubstr("asked for by options, not in the file: zeros (7)"));
  // The greatest of zeros and what the step made of the stored average.
  const auto& state = state_of<optim::AdamParamState>(live, net->in->weight);
  EXPECT_TRUE(torch::equal(state.max_exp_avg_sq(), state.exp_avg_sq()));
  EXPECT_EQ(state.step(), 2);

  optim::AdamW adamw(net->parameters(), optim::AdamWOptions(0.1));
  optim::AdamW other(net->parameters(), optim::AdamWOptions(0.1).amsgrad(true));
  switch_on(path(), net, adamw, other);
  EXPECT_TRUE(state_of<optim::AdamWParamState>(other, net->scale).max_exp_avg_sq().defined());
}

TEST_F(CompleteStateTest, CenteredAndMomentumSwitchedOn) {
  Net net;
  const auto options = optim::RMSpropOptions(0.01).centered(true).momentum(0.5);
  optim::RMSprop stored(net->parameters(), optim::RMSpropOptions(0.01));
  optim::RMSprop live(net->parameters(), options);
  const LoadReport report = switch_on(path(), net, stored, live);
  EXPECT_EQ(report.optimizers[0].started.size(), 14U);
  const auto& state = state_of<optim::RMSpropParamState>(live, net->in->weight);
  EXPECT_TRUE(state.grad_avg().defined() && state.momentum_buffer().defined());
}

TEST_F(CompleteStateTest, NothingIsMadeThatNoOptionAsksFor) {
  Net net;
  optim::Adam stored(net->parameters(), optim::AdamOptions(0.1));
  optim::Adam live(net->parameters(), optim::AdamOptions(0.1));
  const LoadReport report = switch_on(path(), net, stored, live);
  EXPECT_TRUE(report.optimizers[0].started.empty());
  EXPECT_FALSE(state_of<optim::AdamParamState>(live, net->scale).max_exp_avg_sq().defined());
}

// State that a parameter keeps, in a group that takes the options of the file.
TEST_F(CompleteStateTest, StateOfItsOwnUnderOptionsOfTheFile) {
  Net net;
  optim::Adam stored(net->parameters(), optim::AdamOptions(0.1).amsgrad(true));
  train_step(net, stored, 0);
  const TrainingState model = TrainingState().module("model", net);
  save(path(), TrainingState(model).optimizer("opt", stored), quick());
  optim::Adam live(net->parameters(), optim::AdamOptions(0.1));
  train_step(net, live, 0);
  const LoadReport report =
      load(path(), TrainingState(model).optimizer("opt", live),
           {.filter = [](std::string_view name) { return name != "model.scale"; }});
  EXPECT_THAT(report.optimizers[0].filtered, ElementsAre("model.scale"));
  EXPECT_EQ(report.optimizers[0].started.size(), 1U);
  EXPECT_EQ(state_of<optim::AdamParamState>(live, net->scale).step(), 1);
  train_step(net, live, 1);
}

// Python writes so what SGD without momentum has; LibTorch's first step wants no state at all.
TEST_F(CompleteStateTest, PythonsSgdWithoutMomentum) {
  HandMade("SGD").entry("momentum_buffer", StateValue::null()).write(path());
  optim::SGD sgd({w_}, optim::SGDOptions(0.1).momentum(0.9));
  const LoadReport report = load(path(), state(sgd), {.options_from = of_the_program});
  EXPECT_THAT(report.optimizers[0].stateless, ElementsAre("w"));
  EXPECT_TRUE(sgd.state().empty());
  w_.sum().backward();
  sgd.step();
  EXPECT_EQ(sgd.state().size(), 1U);
}

TEST_F(CompleteStateTest, MissingMomentsAreRejected) {
  optim::Adam adam({w_}, optim::AdamOptions(0.1));
  HandMade file("Adam");
  file.entry("step", StateValue::integer(1)).entry("exp_avg", file.tensor("exp_avg", {2}));
  expect_rejected(file, adam, "w: the state of its optimizer has no \"exp_avg_sq\"");
  optim::AdamW adamw({w_}, optim::AdamWOptions(0.1));
  expect_rejected(HandMade("AdamW").entry("step", StateValue::integer(1)), adamw, "\"exp_avg\"");
  optim::RMSprop rmsprop({w_}, optim::RMSpropOptions(0.1));
  expect_rejected(HandMade("RMSprop").entry("step", StateValue::integer(1)), rmsprop,
                  "\"square_avg\"");
  optim::SGD sgd({w_}, optim::SGDOptions(0.1));
  expect_rejected(HandMade("SGD").entry("other", StateValue::integer(1)), sgd,
                  "\"momentum_buffer\"");
}

TEST_F(CompleteStateTest, AdagradsSumIsRequired) {
  optim::Adagrad adagrad({w_}, optim::AdagradOptions(0.1));  // has state from the beginning
  const Tensor sum = state_of<optim::AdagradParamState>(adagrad, w_).sum();
  HandMade("Adagrad").entry("step", StateValue::integer(7)).write(path());
  EXPECT_EQ(code_of([&] { load(path(), state(adagrad)); }), Code::kRejected);
  EXPECT_EQ(state_of<optim::AdagradParamState>(adagrad, w_).step(), 0);
  EXPECT_TRUE(state_of<optim::AdagradParamState>(adagrad, w_).sum().is_same(sum));
}

// A counter that is a tensor is looked at before anything changes, too.
TEST_F(CompleteStateTest, CountersAreOneNumber) {
  optim::Adam adam({w_}, optim::AdamOptions(0.1));
  HandMade file("Adam");
  file.entry("step", file.tensor("step", {2}));
  expect_rejected(file, adam, "\"step\"");
}

// One state for all parameters, its parts consistent.
HandMade lbfgs(std::int64_t flat = 2, std::size_t dirs = 2, std::size_t steps = 2,
               std::size_t ro = 2, const std::string& without = "", DType type = DType::kFloat32) {
  HandMade file("LBFGS");
  const auto list = [&](const std::string& name, std::size_t length,
                        std::vector<std::int64_t> shape) {
    StateValue values = StateValue::list();
    for (std::size_t i = 0; i < length; ++i) {
      values.append(file.tensor(name + "/" + std::to_string(i), shape));
    }
    file.entry(name, std::move(values));
  };
  file.entry("n_iter", StateValue::integer(3));
  if (without != "d") file.entry("d", file.tensor("d", {flat}, type));
  if (without != "H_diag") file.entry("H_diag", file.tensor("H_diag", {}));
  if (without != "prev_flat_grad") file.entry("prev_flat_grad", file.tensor("prev", {flat}));
  list("old_dirs", dirs, {2});
  list("old_stps", steps, {2});
  list("ro", ro, {});
  return file;
}

TEST_F(CompleteStateTest, MalformedLbfgs) {
  optim::LBFGS optimizer({w_}, optim::LBFGSOptions(0.1));
  expect_rejected(lbfgs(2, 2, 1, 2), optimizer,
                  "lists of different lengths: \"old_dirs\" 2, \"old_stps\" 1, \"ro\" 2");
  expect_rejected(lbfgs(2, 2, 2, 1), optimizer, "lists of different lengths");
  expect_rejected(lbfgs(5), optimizer, "\"d\" of shape [5], float32; its parameters together");
  expect_rejected(lbfgs(2, 2, 2, 2, "", DType::kFloat64), optimizer, "\"d\" of shape [2], float64");
  for (const char* entry : {"d", "H_diag", "prev_flat_grad"}) {
    expect_rejected(lbfgs(2, 2, 2, 2, entry), optimizer, std::string("no \"") + entry + "\"");
  }
  expect_rejected(lbfgs().entry("n_iter", StateValue::integer(-1)), optimizer, "n_iter");
  expect_rejected(lbfgs().option("history_size", StateValue::integer(0)), optimizer, "history");
  HandMade hole = lbfgs();
  hole.entry("ro", StateValue::list({StateValue::null(), StateValue::null()}));
  expect_rejected(hole, optimizer, "no \"ro/0\"");
  HandMade wide = lbfgs(2, 1, 1, 1);
  wide.entry("ro", StateValue::list({wide.tensor("wide", {2})}));
  expect_rejected(wide, optimizer, "\"ro/0\" of shape [2]");
}

TEST_F(CompleteStateTest, LbfgsWithALongerHistoryThanItsOptions) {
  lbfgs(2, 3, 3, 3).entry("al", StateValue::list({StateValue::null()})).write(path());
  optim::LBFGS optimizer({w_}, optim::LBFGSOptions(0.1).history_size(2));
  load(path(), state(optimizer), {.options_from = of_the_program});
  const auto& loaded = state_of<optim::LBFGSParamState>(optimizer, w_);
  EXPECT_EQ(loaded.old_dirs().size(), 2U);
  EXPECT_EQ(loaded.old_stps().size(), 2U);
  EXPECT_EQ(loaded.ro().size(), 2U);
  EXPECT_FALSE(loaded.al().has_value());
}

// A history that may be longer now: the scratch list of the file would be too short for it.
TEST_F(CompleteStateTest, LbfgsGoesOnWithAnotherHistory) {
  for (const std::int64_t history : {1, 2, 5, 9}) {
    torch::manual_seed(4);
    Net net;
    optim::LBFGS stored(net->parameters(), optim::LBFGSOptions(0.1).max_iter(6).history_size(2));
    train_step(net, stored, 0);
    const TrainingState model = TrainingState().module("model", net);
    save(path(), TrainingState(model).optimizer("opt", stored), quick());
    optim::LBFGS live(net->parameters(),
                      optim::LBFGSOptions(0.1).max_iter(12).history_size(history));
    load(path(), TrainingState(model).optimizer("opt", live), {.options_from = of_the_program});
    train_step(net, live, 1);  // LibTorch throws here when a list is too short
    EXPECT_LE(state_of<optim::LBFGSParamState>(live, net->scale).old_dirs().size(),
              static_cast<std::size_t>(history));
  }
}

}  // namespace
}  // namespace ingot::libtorch::testing
