// The matrix of mismatches: for each way in which a program can differ from its file, the exact
// report, strict and not, and for every tensor, every state and every group whether it came from
// the file or is, to the last bit, what it was.
#include <map>
#include <set>
#include <sstream>

#include "tests/libtorch/models.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

namespace optim = torch::optim;
using ::testing::UnorderedElementsAreArray;
using torch::Tensor;
using Names = std::vector<std::string>;
using Made = std::unique_ptr<optim::Optimizer>;

// Parameters by group: one group of all, unless a case says otherwise.
using Lists = std::vector<std::vector<Tensor>>;
using Change = std::function<void(Net&, Lists&)>;

// The rate of a group: of the file's 0.01, 0.02, ...; of the program's 0.5, 1, ...
constexpr double kFileRate = 0.01;
constexpr double kLiveRate = 0.5;

template <typename Optimizer, typename Options>
Made make_optimizer(const Lists& lists, double rate) {
  std::vector<optim::OptimizerParamGroup> groups;
  for (const std::vector<Tensor>& list : lists) {
    const double rate_of_group = rate * static_cast<double>(groups.size() + 1);
    groups.emplace_back(list, std::make_unique<Options>(rate_of_group));
  }
  return std::make_unique<Optimizer>(std::move(groups), Options(rate));
}
Made adam(const Lists& lists, double rate) {
  return make_optimizer<optim::Adam, optim::AdamOptions>(lists, rate);
}
Made adamw(const Lists& lists, double rate) {
  return make_optimizer<optim::AdamW, optim::AdamWOptions>(lists, rate);
}
Made lbfgs(const Lists& lists, double rate) {
  return std::make_unique<optim::LBFGS>(lists[0], optim::LBFGSOptions(rate));
}

// A run that has trained: its tensors are random, and all parameters have state.
struct TrainedRun {
  TrainedRun(const Change& change, const std::function<Made(const Lists&, double)>& make,
             double rate) {
    Lists lists = {net->parameters()};
    if (change) change(net, lists);
    for (Tensor& tensor : net->parameters()) tensor.data().normal_();
    for (Tensor& tensor : net->buffers()) tensor.random_(1, 1 << 20);
    optimizer = make(lists, rate);
    optimizer->step([&] {
      for (Tensor& tensor : net->parameters()) tensor.mutable_grad() = torch::randn_like(tensor);
      return torch::zeros({});
    });
  }
  TrainingState state() {
    return TrainingState().module("model", net).optimizer("opt", *optimizer);
  }

  Net net;
  Made optimizer;
};

template <typename Serializable>
std::string archived(const Serializable& what) {
  torch::serialize::OutputArchive archive;
  what.serialize(archive);
  std::ostringstream bytes;
  archive.save_to(bytes);
  return bytes.str();
}

// Every bit of a run, by what it belongs to: "model.scale", "state of model.scale".
using Bits = std::map<std::string, std::string>;
const std::string kModel = "model.";
const std::string kState = "state of model.";

Bits bits_of(TrainedRun& run) {
  Bits bits;
  for (const auto& item : run.net->named_buffers()) {
    bits[kModel + item.key()] = bytes_of(item.value());
  }
  for (const auto& item : run.net->named_parameters()) {
    bits[kModel + item.key()] = bytes_of(item.value());
    const auto state = run.optimizer->state().find(item.value().unsafeGetTensorImpl());
    if (state == run.optimizer->state().end()) continue;
    bits[kState + item.key()] = archived(*state->second);
  }
  return bits;
}

std::vector<double> rates_of(const TrainedRun& run) {
  std::vector<double> rates;
  for (const auto& group : run.optimizer->param_groups()) rates.push_back(group.options().get_lr());
  return rates;
}

struct Case {
  const char* name;
  Change file = {};
  Change live = {};
  // What the report says after its first line; `done` by a load that is not strict alone.
  std::string differences = {};
  std::string done = {};
  // What such a load leaves as it was. All else is the file's.
  std::set<std::string> kept = {};
  std::vector<double> rates = {};  // that the groups then have
  std::vector<Rename> renames = {};
  std::function<Made(const Lists&, double)> make = adam;
};

// A parameter more, in the last group.
Change with(const char* name) {
  return [name](Net& net, Lists& lists) {
    lists.back().push_back(net->register_parameter(name, torch::zeros({2})));
  };
}

// Weights of matrices, and all others.
void split(Net& net, Lists& lists) { lists = {matrices(net), vectors(net)}; }

const char* const kRateChanged =
    "optimizer opt (Adam):\n"
    "options changed (1):\n"
    "  group 0: lr 0.5 -> 0.01\n";

std::vector<Case> cases() {
  return {
      {.name = "nothing", .done = kRateChanged, .rates = {0.01}},
      {.name = "missing",
       .live =
           [](Net& net, Lists& lists) {
             with("added")(net, lists);
             net->register_buffer("counter", torch::zeros({3}));
           },
       .differences = "missing in the file (2):\n"
                      "  model.added\n"
                      "  model.counter\n"
                      "optimizer opt (Adam):\n"
                      "new, without stored state (1):\n"
                      "  model.added\n",
       .done = "options changed (1):\n"
               "  group 0: lr 0.5 -> 0.01\n",
       .kept = {"model.added", "model.counter", "state of model.added"},
       .rates = {0.01}},
      {.name = "unexpected",
       .file =
           [](Net& net, Lists& lists) {
             with("removed")(net, lists);
             net->register_buffer("counter", torch::zeros({3}));
           },
       .differences = "unexpected in the file (2):\n"
                      "  model.removed\n"
                      "  model.counter\n"
                      "optimizer opt (Adam):\n"
                      "stored, not in this optimizer (1):\n"
                      "  model.removed\n",
       .done = "options changed (1):\n"
               "  group 0: lr 0.5 -> 0.01\n",
       .rates = {0.01}},
      {.name = "shape",
       .live =
           [](Net& net, Lists&) {
             net->in->weight.set_data(torch::zeros({8, 9}));
             net->norm->running_mean.set_data(torch::zeros({1, 8}));
           },
       .differences = "shape differs (2):\n"
                      "  model.in.weight: expected [8, 9], the file has [8, 6]\n"
                      "  model.norm.running_mean: expected [1, 8], the file has [8]\n"
                      "optimizer opt (Adam):\n"
                      "different (1):\n"
                      "  model.in.weight: expected [8, 9], the file has [8, 6]\n",
       .done = "options changed (1):\n"
               "  group 0: lr 0.5 -> 0.01\n",
       .kept = {"model.in.weight", "model.norm.running_mean", "state of model.in.weight"},
       .rates = {0.01}},
      {.name = "dtype",
       .live =
           [](Net& net, Lists&) {
             net->out->bias.set_data(torch::zeros({3}, torch::kDouble));
             net->norm->num_batches_tracked.set_data(torch::zeros({}, torch::kInt));
           },
       .differences = "dtype differs (2):\n"
                      "  model.norm.num_batches_tracked: expected int32, the file has int64\n"
                      "  model.out.bias: expected float64, the file has float32\n"
                      "optimizer opt (Adam):\n"
                      "different (2):\n"
                      "  model.out.bias: exp_avg: expected float64, the file has float32\n"
                      "  model.out.bias: exp_avg_sq: expected float64, the file has float32\n",
       .done = "options changed (1):\n"
               "  group 0: lr 0.5 -> 0.01\n",
       .kept = {"model.norm.num_batches_tracked", "model.out.bias", "state of model.out.bias"},
       .rates = {0.01}},
      {.name = "group count: split",
       .live = split,
       .differences = "optimizer opt (Adam):\n"
                      "groups (2):\n"
                      "  2 groups, the file has 1\n"
                      "  group 1 has members of the file's group 0\n",
       .done = "options changed (2):\n"
               "  group 0: lr 0.5 -> 0.01\n"
               "  group 1: lr 1 -> 0.01\n",
       .rates = {0.01, 0.01}},
      {.name = "group count: merged",
       .file = split,
       .differences = "optimizer opt (Adam):\n"
                      "groups (3):\n"
                      "  1 groups, the file has 2\n"
                      "  group 0 has members of the file's group 0, 1\n"
                      "  group 0 keeps its own options: the file has no group that is it\n",
       .rates = {0.5}},
      {.name = "group count: a parameter moved",
       .file = split,
       .live =
           [](Net& net, Lists& lists) {
             split(net, lists);
             std::rotate(lists[1].begin(), lists[1].begin() + 1, lists[1].end());
             lists[0].push_back(lists[1].back());
             lists[1].pop_back();
           },
       .differences = "optimizer opt (Adam):\n"
                      "groups (2):\n"
                      "  group 0 has members of the file's group 0, 1\n"
                      "  group 0 keeps its own options: the file has no group that is it\n",
       .done = "options changed (1):\n"
               "  group 1: lr 1 -> 0.02\n",
       .rates = {0.5, 0.02}},
      {.name = "order of registration",
       .file =
           [](Net& net, Lists& lists) {
             with("a")(net, lists);
             with("b")(net, lists);
           },
       .live =
           [](Net& net, Lists& lists) {
             with("b")(net, lists);
             with("a")(net, lists);
             std::reverse(lists[0].begin(), lists[0].end());
           },
       .done = kRateChanged,
       .rates = {0.01}},
      {.name = "order of registration, of an optimizer with one state for all",
       .live = [](Net&, Lists& lists) { std::reverse(lists[0].begin(), lists[0].end()); },
       .differences = "optimizer opt (LBFGS):\n"
                      "new, without stored state (1):\n"
                      "  model.scale\n"
                      "groups (1):\n"
                      "  the state is about all parameters in their order, which differs\n",
       .done = "options changed (1):\n"
               "  group 0: lr 0.5 -> 0.01\n",
       .kept = {"state of model.out.bias"},
       .rates = {0.01},
       .make = lbfgs},
      {.name = "renamed",
       .file = with("old"),
       .live = with("now"),
       .differences = "missing in the file (1):\n"
                      "  model.now\n"
                      "unexpected in the file (1):\n"
                      "  model.old\n"
                      "optimizer opt (Adam):\n"
                      "new, without stored state (1):\n"
                      "  model.now\n"
                      "stored, not in this optimizer (1):\n"
                      "  model.old\n",
       .done = "options changed (1):\n"
               "  group 0: lr 0.5 -> 0.01\n",
       .kept = {"model.now", "state of model.now"},
       .rates = {0.01}},
      {.name = "renamed, and told so",
       .file = with("old"),
       .live = with("now"),
       .done = kRateChanged,
       .rates = {0.01},
       .renames = {{"model.old", "model.now"}}},
  };
}

class MismatchTest : public ::testing::Test {
 protected:
  void SetUp() override { torch::manual_seed(1); }
  std::string path() const { return scratch_.path("file.ingot"); }
  LoadReport load_into(TrainedRun& live, const Case& what, bool strict) {
    return load(path(), live.state(), {.strict = strict, .renames = what.renames});
  }

  // What a run has after a load of `what`: of the file all but what is kept.
  static Bits loaded(const Bits& before, const Bits& file, const Case& what) {
    Bits after = before;
    for (auto& [name, bits] : after) {
      if (!what.kept.contains(name)) bits = file.at(name_in_file(name, what));
    }
    return after;
  }
  static std::string name_in_file(std::string name, const Case& what) {
    for (const Rename& rename : what.renames) {
      if (name.ends_with(rename.to)) name.replace(name.rfind(rename.to), name.npos, rename.from);
    }
    return name;
  }
  // Those of the names that begin so and are not kept, without that beginning.
  static Names taken(const Bits& bits, const Case& what, const std::string& beginning) {
    Names names;
    for (const auto& [name, unused] : bits) {
      if (!name.starts_with(beginning) || what.kept.contains(name)) continue;
      names.push_back(name.substr(beginning.size() - kModel.size()));
    }
    return names;
  }
  static void expect_equal(const Bits& bits, const Bits& expected, const char* when) {
    ASSERT_EQ(bits.size(), expected.size()) << when;
    for (const auto& [name, value] : expected) EXPECT_TRUE(bits.at(name) == value) << when << name;
  }

  ingot::testing::Scratch scratch_;
};

TEST_F(MismatchTest, Matrix) {
  for (const Case& what : cases()) {
    SCOPED_TRACE(what.name);
    TrainedRun stored(what.file, what.make, kFileRate);
    save(path(), stored.state(), quick());
    TrainedRun live(what.live, what.make, kLiveRate);
    const Bits before = bits_of(live);
    const std::vector<double> rates = rates_of(live);
    const Bits expected = loaded(before, bits_of(stored), what);
    for (const auto& [name, bits] : expected) {
      // Otherwise nobody would see whether it was loaded.
      EXPECT_EQ(bits == before.at(name), what.kept.contains(name)) << name;
    }
    const Names tensors = taken(before, what, kModel);
    const std::string first = path() + ": " + std::to_string(tensors.size()) + " tensors\n";

    if (!what.differences.empty()) {
      try {
        load_into(live, what, true);
        ADD_FAILURE() << "no error";
      } catch (const MismatchError& error) {
        EXPECT_EQ(error.report().to_string(), first + what.differences);
        EXPECT_FALSE(error.report().exact());
      }
      expect_equal(bits_of(live), before, "after a strict load: ");
      EXPECT_EQ(rates_of(live), rates);
    }
    // Where nothing differs a strict load does the same.
    const LoadReport report = load_into(live, what, what.differences.empty());
    EXPECT_EQ(report.to_string(), first + what.differences + what.done);
    EXPECT_EQ(report.exact(), what.differences.empty());
    EXPECT_THAT(report.loaded, UnorderedElementsAreArray(tensors));
    EXPECT_THAT(report.optimizers.at(0).restored,
                UnorderedElementsAreArray(taken(before, what, kState)));
    expect_equal(bits_of(live), expected, "after a load that is not strict: ");
    EXPECT_EQ(rates_of(live), what.rates);
  }
}

// It has no report: nothing is loaded, strict or not.
TEST_F(MismatchTest, OptimizerOfAnotherKind) {
  TrainedRun stored({}, adam, kFileRate);
  save(path(), stored.state(), quick());
  TrainedRun live({}, adamw, kLiveRate);
  const Bits before = bits_of(live);
  for (const bool strict : {true, false}) {
    const auto attempt = [&] { load(path(), live.state(), {.strict = strict}); };
    EXPECT_EQ(message_of(attempt),
              "invalid argument: optimizer opt is of class AdamW, the file's of class Adam: "
              "state of one means nothing to the other");
    EXPECT_EQ(code_of(attempt), Code::kInvalidArgument);
    expect_equal(bits_of(live), before, strict ? "strict: " : "not strict: ");
    EXPECT_EQ(rates_of(live), std::vector<double>{kLiveRate});
  }
}

}  // namespace
}  // namespace ingot::libtorch::testing
