// Optimizers by name: frozen, added, reordered, renamed and regrouped parameters; options; classes.
#include "ingot/optimizer.h"

#include <filesystem>

#include "tests/libtorch/models.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using torch::Tensor;
using torch::optim::AdamOptions;
using torch::optim::AdamParamState;
using Groups = std::vector<torch::optim::OptimizerParamGroup>;

const AdamParamState* state_of(torch::optim::Optimizer& optimizer, const Tensor& param) {
  const auto found = optimizer.state().find(param.unsafeGetTensorImpl());
  if (found == optimizer.state().end()) return nullptr;
  return static_cast<const AdamParamState*>(found->second.get());
}

class OptimizerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    torch::manual_seed(1);
    adam_ = std::make_unique<torch::optim::Adam>(net_->parameters(), AdamOptions(0.01));
    for (int step = 0; step < 3; ++step) train_step(net_, *adam_, step);
    save(path(), TrainingState().module("model", net_).optimizer("adam", *adam_), quick());
  }
  std::string path() const { return scratch_.path("file.ingot"); }

  static TrainingState state(Net& net, torch::optim::Optimizer& optimizer) {
    return TrainingState().module("model", net).optimizer("adam", optimizer);
  }

  // A strict load that must fail, leaving the optimizer without state.
  OptimizerReport mismatch(Net& net, torch::optim::Optimizer& optimizer, LoadOptions options = {}) {
    const Tensor before = net->out->weight.clone();
    try {
      load(path(), state(net, optimizer), options);
      ADD_FAILURE() << "no error";
    } catch (const MismatchError& error) {
      EXPECT_TRUE(optimizer.state().empty());
      EXPECT_TRUE(torch::equal(before, net->out->weight));
      return error.report().optimizers.at(0);
    }
    return {};
  }

  // Whether a parameter has the stored moments of `stored`.
  void expect_state(torch::optim::Optimizer& optimizer, const Tensor& param, const Tensor& stored) {
    const AdamParamState* restored = state_of(optimizer, param);
    const AdamParamState* wanted = state_of(*adam_, stored);
    ASSERT_NE(restored, nullptr);
    EXPECT_EQ(restored->step(), 3);
    EXPECT_TRUE(torch::equal(restored->exp_avg(), wanted->exp_avg()));
    EXPECT_TRUE(torch::equal(restored->exp_avg_sq(), wanted->exp_avg_sq()));
    EXPECT_NE(restored->exp_avg().data_ptr(), wanted->exp_avg().data_ptr());
  }

  ingot::testing::Scratch scratch_;
  Net net_;
  std::unique_ptr<torch::optim::Adam> adam_;
};

TEST_F(OptimizerTest, OrderOfRegistrationMeansNothing) {
  Net live;
  std::vector<Tensor> reversed = live->parameters();
  std::reverse(reversed.begin(), reversed.end());
  torch::optim::Adam optimizer(reversed, AdamOptions(0.01));
  EXPECT_TRUE(load(path(), state(live, optimizer)).exact());
  expect_state(optimizer, live->in->weight, net_->in->weight);
  expect_state(optimizer, live->scale, net_->scale);
}

TEST_F(OptimizerTest, FilledInPlaceWhereThereIsStateAlready) {
  Net live;
  torch::optim::Adam optimizer(live->parameters(), AdamOptions(0.01));
  train_step(live, optimizer, 0);
  const void* memory = state_of(optimizer, live->in->weight)->exp_avg().data_ptr();
  load(path(), state(live, optimizer));
  expect_state(optimizer, live->in->weight, net_->in->weight);
  EXPECT_EQ(state_of(optimizer, live->in->weight)->exp_avg().data_ptr(), memory);
}

TEST_F(OptimizerTest, AddedAndRemovedParameters) {
  Net live;
  std::vector<Tensor> params = live->parameters();
  const Tensor added = live->register_parameter("added", torch::zeros({2}));
  params.push_back(added);
  params.erase(params.begin());  // scale
  torch::optim::Adam optimizer(params, AdamOptions(0.01));
  const auto without = [](std::string_view name) { return name != "model.added"; };
  OptimizerReport report = mismatch(live, optimizer);
  EXPECT_THAT(report.fresh, ElementsAre("model.added"));
  EXPECT_THAT(report.unexpected, ElementsAre("model.scale"));
  EXPECT_EQ(report.restored.size(), 6U);
  report = mismatch(live, optimizer, {.filter = without});
  EXPECT_THAT(report.filtered, ElementsAre("model.added"));

  const LoadReport loose = load(path(), state(live, optimizer), {.strict = false});
  EXPECT_THAT(loose.missing, ElementsAre("model.added"));
  expect_state(optimizer, live->in->weight, net_->in->weight);
  EXPECT_EQ(state_of(optimizer, added), nullptr);
}

// The whole report, as people read it.
TEST_F(OptimizerTest, EveryKindOfDifferenceInOneReport) {
  Net live(9);
  live->out->to(torch::kDouble);
  const Tensor added = live->register_parameter("added", torch::zeros({2}));
  Groups groups;
  groups.emplace_back(std::vector<Tensor>{live->in->weight, added},
                      std::make_unique<AdamOptions>(0.5));
  groups.emplace_back(std::vector<Tensor>{live->out->weight, live->in->bias},
                      std::make_unique<AdamOptions>(0.6));
  torch::optim::Adam optimizer(groups, AdamOptions(0.7));
  int epoch = 0;
  const TrainingState all = state(live, optimizer).value("epoch", epoch).rng();
  const std::string differences =
      "missing in the file (1):\n"
      "  model.added\n"
      "shape differs (1):\n"
      "  model.in.weight: expected [8, 9], the file has [8, 6]\n"
      "dtype differs (2):\n"
      "  model.out.weight: expected float64, the file has float32\n"
      "  model.out.bias: expected float64, the file has float32\n"
      "not in the file at all (2):\n"
      "  value epoch\n"
      "  rng\n"
      "optimizer adam (Adam):\n"
      "new, without stored state (1):\n"
      "  model.added\n"
      "stored, not in this optimizer (4):\n"
      "  model.scale\n"
      "  model.norm.weight\n"
      "  model.norm.bias\n"
      "  model.out.bias\n"
      "different (3):\n"
      "  model.in.weight: expected [8, 9], the file has [8, 6]\n"
      "  model.out.weight: exp_avg: expected float64, the file has float32\n"
      "  model.out.weight: exp_avg_sq: expected float64, the file has float32\n"
      "groups (2):\n"
      "  2 groups, the file has 1\n"
      "  group 1 has members of the file's group 0\n";
  const std::string first = path() + ": 7 tensors\n";
  const auto attempt = [&] { load(path(), all); };
  EXPECT_THAT(message_of(attempt), HasSubstr(first + differences));
  // What a load that is not strict says besides is what it did.
  EXPECT_EQ(load(path(), all, {.strict = false}).to_string(), first + differences +
                                                                  "options changed (2):\n"
                                                                  "  group 0: lr 0.5 -> 0.01\n"
                                                                  "  group 1: lr 0.6 -> 0.01\n");
}

TEST_F(OptimizerTest, SplitGroups) {
  Net live;
  Groups groups;
  groups.emplace_back(matrices(live), std::make_unique<AdamOptions>(0.5));
  groups.emplace_back(vectors(live), std::make_unique<AdamOptions>(0.6));
  torch::optim::Adam optimizer(groups, AdamOptions(0.7));
  const OptimizerReport report = mismatch(live, optimizer);
  EXPECT_THAT(report.groups,
              ElementsAre("2 groups, the file has 1", "group 1 has members of the file's group 0"));
  EXPECT_THAT(report.fresh, IsEmpty());

  load(path(), state(live, optimizer), {.strict = false});
  expect_state(optimizer, live->in->weight, net_->in->weight);
  expect_state(optimizer, live->in->bias, net_->in->bias);
  EXPECT_EQ(optimizer.param_groups()[1].options().get_lr(), 0.01);
}

TEST_F(OptimizerTest, MergedGroupsKeepTheirOwnOptions) {
  Groups groups;
  groups.emplace_back(matrices(net_), std::make_unique<AdamOptions>(0.1));
  groups.emplace_back(vectors(net_), std::make_unique<AdamOptions>(0.2));
  torch::optim::Adam two(groups, AdamOptions(0.3));
  train_step(net_, two, 0);
  save(path(), state(net_, two), quick());
  Net live;
  torch::optim::Adam one(live->parameters(), AdamOptions(0.4));
  EXPECT_EQ(mismatch(live, one).groups.size(), 3U);
  load(path(), state(live, one), {.strict = false});
  EXPECT_EQ(one.param_groups()[0].options().get_lr(), 0.4);
  EXPECT_EQ(state_of(one, live->in->bias)->step(), 1);
}

TEST_F(OptimizerTest, AGroupAddedDuringTraining) {
  Net stored;
  torch::optim::Adam before({stored->out->weight, stored->out->bias}, AdamOptions(0.1));
  train_step(stored, before, 0);
  before.add_param_group({stored->in->parameters(), std::make_unique<AdamOptions>(0.2)});
  train_step(stored, before, 1);
  save(path(), state(stored, before), quick());
  Net live;
  torch::optim::Adam after({live->out->weight, live->out->bias}, AdamOptions(0.1));
  after.add_param_group({live->in->parameters(), std::make_unique<AdamOptions>(0.3)});
  EXPECT_TRUE(load(path(), state(live, after)).exact());
  EXPECT_EQ(state_of(after, live->out->weight)->step(), 2);
  EXPECT_EQ(state_of(after, live->in->weight)->step(), 1);
  EXPECT_EQ(after.param_groups()[1].options().get_lr(), 0.2);
}

TEST_F(OptimizerTest, StateThatIsNotThereIsNotKept) {
  Net stored;
  torch::optim::Adam fresh(stored->parameters(), AdamOptions(0.01));
  save(path(), state(stored, fresh), quick());
  Net live;
  torch::optim::Adam optimizer(live->parameters(), AdamOptions(0.01));
  train_step(live, optimizer, 0);
  const LoadReport report = load(path(), state(live, optimizer));
  EXPECT_EQ(report.optimizers[0].stateless.size(), 7U);
  EXPECT_TRUE(optimizer.state().empty());
}

TEST_F(OptimizerTest, OptionsOfTheFileOrOfTheProgram) {
  Net live;
  torch::optim::Adam optimizer(live->parameters(), AdamOptions(0.5).weight_decay(0.25));
  const LoadReport report = load(path(), state(live, optimizer));
  EXPECT_THAT(report.optimizers[0].options,
              ElementsAre("group 0: lr 0.5 -> 0.01", "group 0: weight_decay 0.25 -> 0"));
  EXPECT_EQ(optimizer.param_groups()[0].options().get_lr(), 0.01);

  optimizer.param_groups()[0].options().set_lr(0.125);
  const LoadReport own =
      load(path(), state(live, optimizer),
           {.options_from = [](std::string_view name, std::size_t group) {
             return name == "adam" && group == 0 ? OptionsFrom::kOptimizer : OptionsFrom::kFile;
           }});
  EXPECT_TRUE(own.exact());
  EXPECT_EQ(optimizer.param_groups()[0].options().get_lr(), 0.125);
  expect_state(optimizer, live->in->weight, net_->in->weight);
}

TEST_F(OptimizerTest, OptionsAsEachGroupIsTold) {
  const auto in_groups = [](Net& net, double first, double second) {
    const Groups groups = {{matrices(net), std::make_unique<AdamOptions>(first)},
                           {vectors(net), std::make_unique<AdamOptions>(second)}};
    return torch::optim::Adam(groups, AdamOptions(0.01));
  };
  const auto rates = [](torch::optim::Optimizer& optimizer) {
    std::vector<double> result;
    for (auto& group : optimizer.param_groups()) result.push_back(group.options().get_lr());
    return result;
  };
  torch::optim::Adam stored = in_groups(net_, 0.1, 0.2);
  save(path(), state(net_, stored), quick());
  for (const std::size_t kept : {0U, 1U}) {
    Net live;
    torch::optim::Adam optimizer = in_groups(live, 1, 2);
    const LoadReport report = load(
        path(), state(live, optimizer), {.options_from = [&](std::string_view, std::size_t group) {
          return group == kept ? OptionsFrom::kOptimizer : OptionsFrom::kFile;
        }});
    EXPECT_THAT(rates(optimizer), ElementsAre(kept == 0 ? 1 : 0.1, kept == 1 ? 2 : 0.2));
    EXPECT_THAT(report.optimizers[0].options,
                ElementsAre(kept == 0 ? "group 1: lr 2 -> 0.2" : "group 0: lr 1 -> 0.1"));
  }
}

TEST_F(OptimizerTest, AnotherClassIsRefusedAlways) {
  Net live;
  torch::optim::AdamW adamw(live->parameters(), torch::optim::AdamWOptions(0.01));
  const Tensor before = live->in->weight.clone();
  const auto attempt = [&] { load(path(), state(live, adamw), {.strict = false}); };
  EXPECT_EQ(code_of(attempt), Code::kInvalidArgument);
  EXPECT_THAT(message_of(attempt), HasSubstr("of class AdamW, the file's of class Adam"));
  EXPECT_TRUE(torch::equal(live->in->weight, before));
}

TEST_F(OptimizerTest, AFileWithoutOptimizerLoadsTheModelAndSaysSo) {
  save(path(), TrainingState().module("model", net_), quick());
  Net live;
  torch::optim::Adam optimizer(live->parameters(), AdamOptions(0.01));
  const LoadReport report = load(path(), state(live, optimizer));
  EXPECT_THAT(report.absent, ElementsAre("optimizer adam"));
  EXPECT_THAT(report.to_string(), HasSubstr("not in the file at all (1):\n  optimizer adam"));
  EXPECT_TRUE(torch::equal(live->in->weight, net_->in->weight));
}

// module.parameters() gives a tied parameter twice.
TEST_F(OptimizerTest, TiedParametersGivenTwice) {
  struct Tied : torch::nn::Module {
    Tied() {
      first = register_parameter("first", torch::ones({3}));
      second = register_parameter("second", first);
    }
    Tensor first, second;
  };
  Tied stored;
  torch::optim::Adam before(stored.parameters(), AdamOptions(0.1));
  ASSERT_EQ(before.param_groups()[0].params().size(), 2U);
  stored.first.sum().backward();
  before.step();
  save(path(), TrainingState().module("m", stored).optimizer("adam", before), quick());
  Tied live;
  torch::optim::Adam after(live.parameters(), AdamOptions(0.1));
  EXPECT_TRUE(load(path(), TrainingState().module("m", live).optimizer("adam", after)).exact());
  EXPECT_TRUE(torch::equal(state_of(after, live.first)->exp_avg(),
                           state_of(before, stored.first)->exp_avg()));
}

// Damage that only decoding finds: the model has not changed when it is reported.
TEST_F(OptimizerTest, MalformedOptionsAndEntriesChangeNothing) {
  const auto write = [&](const char* option, StateValue lr, StateValue step, DType moments) {
    WritePlan plan;
    const auto w = plan.add({.name = "w", .shape = {2}});
    const auto avg =
        plan.add({.name = "avg", .dtype = moments, .shape = {2}, .role = Role::kOptimizerState});
    StateValue root = StateValue::dict();
    StateValue& adam = root.set("optimizers", StateValue::dict()).set("adam", StateValue::dict());
    adam.set("class", StateValue::string("Adam"));
    StateValue& entries = adam.set("state", StateValue::dict()).set(0, StateValue::dict());
    entries.set("step", std::move(step));
    entries.set("exp_avg", StateValue::tensor("avg"));
    StateValue group = StateValue::dict();
    group.set(option, std::move(lr));
    group.set("params", StateValue::list({StateValue::integer(0)}));
    group.set("param_names", StateValue::list({StateValue::string("w")}));
    adam.set("param_groups", StateValue::list({group}));
    plan.set_state(std::move(root));
    Writer writer = *Writer::create(path(), plan);
    const std::vector<std::byte> bytes(64);
    const std::size_t moment = static_cast<std::size_t>(dtype_bits(moments)) / 8;
    ASSERT_TRUE(writer.write(w, std::span(bytes).first(8)).ok());
    ASSERT_TRUE(writer.write(avg, std::span(bytes).first(2 * moment)).ok());
    ASSERT_TRUE(writer.commit().ok());
  };
  Tensor live = torch::ones({2}, torch::requires_grad());
  torch::optim::Adam optimizer(std::vector<Tensor>{live}, AdamOptions(0.1));
  const auto attempt = [&] {
    load(path(), TrainingState().tensor("w", live).optimizer("adam", optimizer));
  };
  write("lr", StateValue::string("x"), StateValue::integer(1), DType::kFloat32);
  EXPECT_EQ(code_of(attempt), Code::kRejected);
  write("lr", StateValue::real(1), StateValue::string("x"), DType::kFloat32);
  EXPECT_EQ(code_of(attempt), Code::kRejected);
  write("lr", StateValue::real(1), StateValue::real(1e300), DType::kFloat32);
  EXPECT_EQ(code_of(attempt), Code::kRejected);
  write("lr", StateValue::real(1), StateValue::integer(1), DType::kFloat64);
  EXPECT_THROW(attempt(), MismatchError);
  EXPECT_TRUE((live == 1).all().item<bool>());
  EXPECT_TRUE(optimizer.state().empty());
}

TEST_F(OptimizerTest, RenamedModulesTakeTheirStateAlong) {
  Net live;
  torch::optim::Adam optimizer(live->parameters(), AdamOptions(0.01));
  const TrainingState renamed = TrainingState().module("net", live).optimizer("adam", optimizer);
  EXPECT_TRUE(load(path(), renamed, {.renames = {{"model", "net"}}}).exact());
  expect_state(optimizer, live->out->bias, net_->out->bias);
}

TEST_F(OptimizerTest, ShapesThatDiffer) {
  Net wide(9);
  torch::optim::Adam optimizer(wide->parameters(), AdamOptions(0.01));
  const OptimizerReport report = mismatch(wide, optimizer);
  ASSERT_EQ(report.mismatches.size(), 1U);
  EXPECT_EQ(report.mismatches[0].name, "model.in.weight");
  EXPECT_EQ(report.mismatches[0].found, "[8, 6]");
  load(path(), state(wide, optimizer), {.strict = false});
  EXPECT_EQ(state_of(optimizer, wide->in->weight), nullptr);
  expect_state(optimizer, wide->out->weight, net_->out->weight);
}

TEST_F(OptimizerTest, WithoutItsModelInTheFile) {
  save(path(), TrainingState().naming("model", *net_).optimizer("adam", *adam_), quick());
  Net live;
  torch::optim::Adam optimizer(live->parameters(), AdamOptions(0.01));
  const Tensor before = live->in->weight.clone();
  const LoadReport report =
      load(path(), TrainingState().naming("model", *live).optimizer("adam", optimizer));
  EXPECT_TRUE(report.exact());
  EXPECT_THAT(report.loaded, IsEmpty());
  expect_state(optimizer, live->in->weight, net_->in->weight);
  EXPECT_TRUE(torch::equal(live->in->weight, before));
}

TEST_F(OptimizerTest, ParametersOfNoModuleAreRefused) {
  const auto attempt = [&] { save(path(), TrainingState().optimizer("adam", *adam_), quick()); };
  EXPECT_EQ(code_of(attempt), Code::kInvalidArgument);
  EXPECT_THAT(message_of(attempt), HasSubstr("parameter 0 of group 0"));
  Net other;
  EXPECT_EQ(code_of([&] {
              save(path(),
                   TrainingState()
                       .module("model", net_)
                       .module("other", other)
                       .optimizer("adam", *adam_, "other"),
                   quick());
            }),
            Code::kInvalidArgument);
}

TEST_F(OptimizerTest, BareTensors) {
  Tensor w = torch::ones({3}, torch::requires_grad());
  torch::optim::Adam optimizer(std::vector<Tensor>{w}, AdamOptions(0.1));
  w.sum().backward();
  optimizer.step();
  save(path(), TrainingState().tensor("w", w).optimizer("adam", optimizer), quick());
  Tensor live = torch::zeros({3}, torch::requires_grad());
  torch::optim::Adam other(std::vector<Tensor>{live}, AdamOptions(0.1));
  load(path(), TrainingState().tensor("w", live).optimizer("adam", other));
  EXPECT_TRUE(torch::equal(live, w));
  EXPECT_TRUE(torch::equal(state_of(other, live)->exp_avg(), state_of(optimizer, w)->exp_avg()));
}

TEST_F(OptimizerTest, TwoModelsTwoOptimizersEachLoadsAlone) {
  Net critic;
  torch::optim::Adam of_critic(critic->parameters(), AdamOptions(0.02));
  train_step(critic, of_critic, 0);
  save(path(),
       TrainingState()
           .module("generator", net_)
           .module("critic", critic)
           .optimizer("of_generator", *adam_, "generator")
           .optimizer("of_critic", of_critic, "critic"),
       quick());
  Net live;
  torch::optim::Adam optimizer(live->parameters(), AdamOptions(0.5));
  const LoadReport report =
      load(path(), TrainingState().module("critic", live).optimizer("of_critic", optimizer));
  EXPECT_TRUE(report.exact());
  EXPECT_EQ(state_of(optimizer, live->in->weight)->step(), 1);
  EXPECT_EQ(optimizer.param_groups()[0].options().get_lr(), 0.02);
}

// As the core and the command see it.
TEST_F(OptimizerTest, IsToldByTheCore) {
  for (Tensor& parameter : net_->in->parameters()) parameter.set_requires_grad(false);
  torch::optim::Adam frozen(net_->parameters(), AdamOptions(0.01));
  train_step(net_, frozen, 0);
  save(path(), state(net_, frozen), quick());
  const Checkpoint checkpoint = *Checkpoint::open(path());
  const auto infos = optimizers(checkpoint);
  ASSERT_TRUE(infos.ok()) << infos.status().to_string();
  ASSERT_EQ(infos->size(), 1U);
  const OptimizerGroup& group = infos->at(0).groups.at(0);
  EXPECT_EQ(infos->at(0).class_name, "Adam");
  EXPECT_EQ(group.options.at(0).first, "lr");
  EXPECT_EQ(group.members.at(1).name, "model.in.weight");
  EXPECT_EQ(*group.members.at(1).shape, (std::vector<std::int64_t>{8, 6}));
  EXPECT_FALSE(*group.members.at(1).requires_grad);
  EXPECT_THAT(group.members.at(1).entries, IsEmpty());
  EXPECT_THAT(group.members.at(5).entries, ElementsAre("step", "exp_avg", "exp_avg_sq"));
}

// What Python writes: `step` is a 0-d tensor, options that LibTorch lacks.
TEST_F(OptimizerTest, PythonsSpelling) {
  const std::vector<float> moments = {1, 2, 3};
  const float steps = 42;
  WritePlan plan;
  const auto w = plan.add({.name = "w", .dtype = DType::kFloat32, .shape = {3}});
  const auto step = plan.add({.name = "o/w/step", .shape = {}, .role = Role::kOptimizerState});
  const auto avg = plan.add({.name = "o/w/exp_avg", .shape = {3}, .role = Role::kOptimizerState});
  StateValue root = StateValue::dict();
  StateValue& adam = root.set("optimizers", StateValue::dict()).set("adam", StateValue::dict());
  adam.set("class", StateValue::string("Adam"));
  StateValue& entries = adam.set("state", StateValue::dict()).set(0, StateValue::dict());
  entries.set("step", StateValue::tensor("o/w/step"));
  entries.set("exp_avg", StateValue::tensor("o/w/exp_avg"));
  entries.set("exp_avg_sq", StateValue::tensor("o/w/exp_avg"));
  StateValue group = StateValue::dict();
  group.set("lr", StateValue::real(0.25));
  group.set("maximize", StateValue::boolean(false));
  group.set("params", StateValue::list({StateValue::integer(0)}));
  group.set("param_names", StateValue::list({StateValue::string("w")}));
  adam.set("param_groups", StateValue::list({group}));
  plan.set_state(std::move(root));
  Writer writer = *Writer::create(path(), plan);
  const auto bytes = std::as_bytes(std::span(moments));
  ASSERT_TRUE(writer.write(w, bytes).ok() && writer.write(avg, bytes).ok());
  ASSERT_TRUE(writer.write(step, std::as_bytes(std::span(&steps, 1))).ok());
  ASSERT_TRUE(writer.commit().ok());

  Tensor live = torch::zeros({3}, torch::requires_grad());
  torch::optim::Adam optimizer(std::vector<Tensor>{live}, AdamOptions(0.1).betas({0.5, 0.6}));
  const LoadReport report =
      load(path(), TrainingState().tensor("w", live).optimizer("adam", optimizer));
  EXPECT_EQ(state_of(optimizer, live)->step(), 42);
  EXPECT_TRUE(torch::equal(state_of(optimizer, live)->exp_avg_sq(),
                           torch::tensor({1., 2., 3.}, torch::kFloat)));
  EXPECT_THAT(report.optimizers[0].ignored, ElementsAre("maximize"));
  const auto& options = static_cast<AdamOptions&>(optimizer.param_groups()[0].options());
  EXPECT_EQ(options.get_lr(), 0.25);
  EXPECT_EQ(options.betas(), std::make_tuple(0.5, 0.6));  // not in the file: its own
}

TEST_F(OptimizerTest, LbfgsIsAboutAllParametersInTheirOrder) {
  torch::optim::LBFGS stored(net_->parameters(), torch::optim::LBFGSOptions(0.1));
  train_step(net_, stored, 0);
  save(path(), state(net_, stored), quick());
  Net live;
  std::vector<Tensor> reversed = live->parameters();
  std::reverse(reversed.begin(), reversed.end());
  torch::optim::LBFGS other(reversed, torch::optim::LBFGSOptions(0.1));
  const OptimizerReport report = mismatch(live, other);
  EXPECT_THAT(report.groups, ElementsAre(HasSubstr("all parameters in their order")));
  load(path(), state(live, other), {.strict = false});
  EXPECT_TRUE(other.state().empty());
  torch::optim::LBFGS same(live->parameters(), torch::optim::LBFGSOptions(0.1));
  EXPECT_TRUE(load(path(), state(live, same)).exact());
  EXPECT_EQ(same.state().size(), 1U);
}

TEST_F(OptimizerTest, ClassesOfOthersAreRefused) {
  struct Own : torch::optim::SGD {
    using SGD::SGD;
  };
  Own own(net_->parameters(), torch::optim::SGDOptions(0.1));
  save(path(), state(net_, own), quick());  // derived from one that is known: as that one
  class Strange : public torch::optim::Optimizer {
   public:
    explicit Strange(std::vector<Tensor> params)
        : Optimizer(std::move(params), std::make_unique<torch::optim::SGDOptions>(0.1)) {}
    Tensor step(LossClosure) override { return {}; }
  };
  Strange strange(net_->parameters());
  EXPECT_EQ(code_of([&] { save(path(), state(net_, strange), quick()); }), Code::kUnsupported);
}

}  // namespace
}  // namespace ingot::libtorch::testing
