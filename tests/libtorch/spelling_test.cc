// What a file calls the options and the state of each optimizer, and how it numbers its members:
// as Python's PyTorch does.
#include "ingot/optimizer.h"

#include "tests/libtorch/models.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using ::testing::UnorderedElementsAreArray;
using Names = std::vector<std::string_view>;

class SpellingTest : public ::testing::Test {
 protected:
  // The optimizer of a case, after a step, as the file tells it.
  OptimizerInfo saved(const std::string& name) {
    const auto& all = optimizer_cases();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& what) { return what.name == name; });
    Net net;
    const auto optimizer = found->make(net);
    train_step(net, *optimizer, 0);
    const std::string path = scratch_.path("file.ingot");
    save(path, TrainingState().module("model", net).optimizer("opt", *optimizer), quick());
    checkpoint_ = *Checkpoint::open(path);
    return optimizers(*checkpoint_)->at(0);
  }

  ingot::testing::Scratch scratch_;
  std::optional<Checkpoint> checkpoint_;  // the names lie in it
};

TEST_F(SpellingTest, OptionsAndEntries) {
  const Names sgd = {"lr", "momentum", "dampening", "weight_decay", "nesterov"};
  const Names adam = {"lr", "betas", "eps", "weight_decay", "amsgrad"};
  const Names rmsprop = {"lr", "alpha", "eps", "weight_decay", "momentum", "centered"};
  const Names adagrad = {"lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"};
  const Names lbfgs = {
      "lr",           "max_iter",      "max_eval", "tolerance_grad", "tolerance_change",
      "history_size", "line_search_fn"};
  struct Case {
    const char* name;
    const char* class_name;
    Names options;
    Names entries;
  };
  const std::vector<Case> cases = {
      {"sgd", "SGD", sgd, {}},
      {"sgd.momentum", "SGD", sgd, {"momentum_buffer"}},
      {"adam", "Adam", adam, {"step", "exp_avg", "exp_avg_sq"}},
      {"adam.amsgrad", "Adam", adam, {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}},
      {"adamw", "AdamW", adam, {"step", "exp_avg", "exp_avg_sq"}},
      {"adamw.amsgrad", "AdamW", adam, {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}},
      {"rmsprop", "RMSprop", rmsprop, {"step", "square_avg"}},
      {"rmsprop.centered",
       "RMSprop",
       rmsprop,
       {"step", "square_avg", "momentum_buffer", "grad_avg"}},
      {"adagrad", "Adagrad", adagrad, {"step", "sum"}},
      {"lbfgs",
       "LBFGS",
       lbfgs,
       {"d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss", "al",
        "func_evals", "n_iter"}},
  };
  for (const Case& what : cases) {
    SCOPED_TRACE(what.name);
    const OptimizerInfo info = saved(what.name);
    EXPECT_EQ(info.class_name, what.class_name);
    const OptimizerGroup& group = info.groups.at(0);
    Names options;
    for (const auto& [name, value] : group.options) options.push_back(name);
    EXPECT_EQ(options, what.options);
    EXPECT_THAT(group.members.at(0).entries, UnorderedElementsAreArray(what.entries));
  }
}

// Over all groups, in the order in which the optimizer has them.
TEST_F(SpellingTest, NumbersAndNamesOfMembers) {
  const OptimizerInfo info = saved("adam.two_groups");
  const std::vector<Names> names = {
      {"model.in.weight", "model.out.weight"},
      {"model.scale", "model.in.bias", "model.norm.weight", "model.norm.bias", "model.out.bias"}};
  ASSERT_EQ(info.groups.size(), names.size());
  std::int64_t number = 0;
  for (std::size_t g = 0; g < names.size(); ++g) {
    ASSERT_EQ(info.groups[g].members.size(), names[g].size());
    for (std::size_t m = 0; m < names[g].size(); ++m) {
      EXPECT_EQ(info.groups[g].members[m].name, names[g][m]);
      EXPECT_EQ(info.groups[g].members[m].index, number++);
    }
  }
}

}  // namespace
}  // namespace ingot::libtorch::testing
