// Loading into modules: exact, strict and not, renamed, filtered, in place, by assignment, tied.
#include <torch/script.h>

#include <fstream>

#include "ingot/checkpoint.h"

#include "tests/libtorch/models.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using torch::Tensor;
using Names = std::vector<std::string>;

// All values of a module, to see whether any changed.
std::string bits_of(const torch::nn::Module& module) {
  std::string bits;
  for (const auto& item : module.named_parameters()) bits += bytes_of(item.value());
  for (const auto& item : module.named_buffers()) bits += bytes_of(item.value());
  return bits;
}

class LoadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    torch::manual_seed(1);
    stored_ = Net();
    stored_->norm->running_mean.fill_(3);
    stored_->norm->num_batches_tracked.fill_(17);
    live_ = Net();
    ASSERT_NE(bits_of(*stored_), bits_of(*live_));
    save(path(), TrainingState().module("model", stored_), quick());
  }
  std::string path(const char* name = "file.ingot") const { return scratch_.path(name); }

  // Runs a strict load that must fail and change nothing; the report of its error.
  template <typename Module>
  LoadReport mismatch(const TrainingState& state, const Module& module, LoadOptions options = {}) {
    const std::string before = bits_of(*module);
    try {
      load(path(), state, options);
      ADD_FAILURE() << "no error";
    } catch (const MismatchError& error) {
      EXPECT_EQ(bits_of(*module), before);
      EXPECT_EQ(error.status().code(), Code::kInvalidArgument);
      return error.report();
    }
    return {};
  }

  ingot::testing::Scratch scratch_;
  Net stored_{nullptr};
  Net live_{nullptr};
};

TEST_F(LoadTest, RestoresParametersAndBuffersInPlace) {
  const void* memory = live_->in->weight.data_ptr();
  const LoadReport report = load(path(), TrainingState().module("model", live_));
  EXPECT_EQ(bits_of(*live_), bits_of(*stored_));
  EXPECT_EQ(live_->in->weight.data_ptr(), memory);
  EXPECT_EQ(live_->norm->num_batches_tracked.item<std::int64_t>(), 17);
  EXPECT_TRUE(report.exact());
  EXPECT_THAT(report.loaded,
              ElementsAre("model.scale", "model.in.weight", "model.in.bias", "model.norm.weight",
                          "model.norm.bias", "model.norm.running_mean", "model.norm.running_var",
                          "model.norm.num_batches_tracked", "model.out.weight", "model.out.bias"));
}

TEST_F(LoadTest, TheFileHasRolesAndOrderOfRegistration) {
  const Checkpoint checkpoint = *Checkpoint::open(path());
  EXPECT_THAT(load_tensors(path()).keys(),
              ElementsAre("model.scale", "model.in.weight", "model.in.bias", "model.norm.weight",
                          "model.norm.bias", "model.norm.running_mean", "model.norm.running_var",
                          "model.norm.num_batches_tracked", "model.out.weight", "model.out.bias"));
  EXPECT_EQ(checkpoint.find("model.norm.running_mean")->role, Role::kBuffer);
  EXPECT_EQ(checkpoint.find("model.norm.weight")->role, Role::kParameter);
  EXPECT_TRUE(checkpoint.find("model.norm.weight")->requires_grad);
  EXPECT_TRUE(checkpoint.find("model.scale")->shape.empty());
}

TEST_F(LoadTest, OneModuleUnderBareNames) {
  save(path(), stored_, quick());
  EXPECT_TRUE(Checkpoint::open(path())->find("in.weight"));
  EXPECT_TRUE(load(path(), live_).exact());
  EXPECT_EQ(bits_of(*live_), bits_of(*stored_));
  // Bare names on one side alone are no riddle.
  Net other;
  EXPECT_TRUE(load(path(), TrainingState().module("generator", other)).exact());
  EXPECT_EQ(bits_of(*other), bits_of(*stored_));
}

TEST_F(LoadTest, AFileOfTensorsLoadsIntoTheSoleModule) {
  TensorDict dict;
  for (const auto& item : stored_->named_parameters()) dict.insert(item.key(), item.value());
  for (const auto& item : stored_->named_buffers()) dict.insert(item.key(), item.value());
  save_tensors(path(), dict, quick());
  EXPECT_TRUE(load(path(), TrainingState().module("model", live_)).exact());
  EXPECT_EQ(bits_of(*live_), bits_of(*stored_));
}

TEST_F(LoadTest, MissingAndUnexpectedAreAllListed) {
  live_->register_parameter("extra", torch::zeros({2}));
  live_->register_buffer("more", torch::zeros({2}));
  const TrainingState state = TrainingState().module("model", live_);
  LoadReport report = mismatch(state, live_);
  EXPECT_THAT(report.missing, ElementsAre("model.extra", "model.more"));
  EXPECT_THAT(report.unexpected, IsEmpty());

  save(path(), TrainingState().module("model", live_), quick());
  report = mismatch(TrainingState().module("model", stored_), stored_);
  EXPECT_THAT(report.unexpected, ElementsAre("model.extra", "model.more"));
  EXPECT_THAT(report.to_string(), HasSubstr("unexpected in the file (2):\n  model.extra"));

  const LoadReport loose =
      load(path(), TrainingState().module("model", stored_), {.strict = false});
  EXPECT_THAT(loose.unexpected, ElementsAre("model.extra", "model.more"));
  EXPECT_EQ(loose.loaded.size(), 10U);
  EXPECT_FALSE(loose.exact());
}

TEST_F(LoadTest, ShapesAndTypesThatDiffer) {
  Net wide(9);
  wide->out->to(torch::kDouble);
  const TrainingState state = TrainingState().module("model", wide);
  const LoadReport report = mismatch(state, wide);
  ASSERT_EQ(report.shapes.size(), 1U);
  EXPECT_EQ(report.shapes[0].name, "model.in.weight");
  EXPECT_EQ(report.shapes[0].expected, "[8, 9]");
  EXPECT_EQ(report.shapes[0].found, "[8, 6]");
  ASSERT_EQ(report.dtypes.size(), 2U);
  EXPECT_EQ(report.dtypes[1].name, "model.out.bias");
  EXPECT_EQ(report.dtypes[1].expected, "float64");
  EXPECT_EQ(report.dtypes[1].found, "float32");

  const Tensor before = wide->in->weight.clone();
  EXPECT_EQ(load(path(), state, {.strict = false}).loaded.size(), 7U);
  EXPECT_TRUE(torch::equal(wide->in->weight, before));
  EXPECT_TRUE(torch::equal(wide->in->bias, stored_->in->bias));
}

TEST_F(LoadTest, AModuleThatIsNotThere) {
  const LoadReport report = mismatch(TrainingState().module("critic", live_), live_);
  EXPECT_THAT(report.absent, ElementsAre("module critic"));
  EXPECT_EQ(report.missing.size(), 10U);
  EXPECT_THAT(report.unexpected, IsEmpty());  // "model" is no part of this state
}

TEST_F(LoadTest, RenamesWholeNamesAndBeginnings) {
  const TrainingState state = TrainingState().module("net", live_);
  mismatch(state, live_);
  const LoadReport report = load(path(), state, {.renames = {{"model", "net"}}});
  EXPECT_TRUE(report.exact());
  EXPECT_EQ(bits_of(*live_), bits_of(*stored_));

  // "model.in" is no beginning of "model.inner": a name ends at a dot.
  Net third;
  third->register_parameter("inner", torch::zeros({1}));
  save(path(), TrainingState().module("model", third), quick());
  const LoadReport odd = load(path(), TrainingState().module("model", third),
                              {.strict = false, .renames = {{"model.in", "model.first"}}});
  EXPECT_THAT(odd.missing, ElementsAre("model.in.weight", "model.in.bias"));
  EXPECT_THAT(odd.unexpected, ElementsAre("model.first.weight", "model.first.bias"));
}

// As Python's DataParallel names them.
TEST_F(LoadTest, RenamesTakeABeginningAway) {
  TensorDict dict;
  for (const auto& item : stored_->named_parameters()) {
    dict.insert("module." + item.key(), item.value());
  }
  for (const auto& item : stored_->named_buffers()) {
    dict.insert("module." + item.key(), item.value());
  }
  save_tensors(path(), dict, quick());
  mismatch(TrainingState().module("", live_), live_);
  EXPECT_TRUE(load(path(), live_, {.renames = {{"module.", ""}}}).exact());
  EXPECT_EQ(bits_of(*live_), bits_of(*stored_));
}

TEST_F(LoadTest, RenamesThatMakeTwoOneAreRefused) {
  EXPECT_EQ(code_of([&] {
              load(path(), TrainingState().module("model", live_),
                   {.renames = {{"model.in.bias", "model.norm.bias"}}});
            }),
            Code::kInvalidArgument);
}

TEST_F(LoadTest, FiltersAreNoMismatch) {
  const Tensor before = live_->out->weight.clone();
  const LoadReport report =
      load(path(), TrainingState().module("model", live_),
           {.filter = [](std::string_view name) { return !name.starts_with("model.out."); }});
  EXPECT_TRUE(report.exact());
  EXPECT_THAT(report.filtered, ElementsAre("model.out.weight", "model.out.bias"));
  EXPECT_TRUE(torch::equal(live_->out->weight, before));
  EXPECT_TRUE(torch::equal(live_->in->weight, stored_->in->weight));
}

TEST_F(LoadTest, ABackboneByItsBeginning) {
  torch::nn::Sequential classifier;
  classifier->push_back("backbone", torch::nn::Linear(6, 8));
  classifier->push_back("head", torch::nn::Linear(8, 2));
  const LoadReport report =
      load(path(), TrainingState().module("classifier", classifier),
           {.renames = {{"model.in", "classifier.backbone"}},
            .filter = [](std::string_view name) { return !name.starts_with("classifier.head"); }});
  EXPECT_TRUE(report.exact());
  EXPECT_TRUE(torch::equal(classifier->named_parameters()["backbone.weight"], stored_->in->weight));
}

TEST_F(LoadTest, ByAssignmentTensorsAreViewsThatMayBeTrained) {
  const void* memory = live_->in->weight.data_ptr();
  void* const identity = live_->in->weight.unsafeGetTensorImpl();
  torch::optim::SGD optimizer(live_->parameters(), 0.1);
  load(path(), TrainingState().module("model", live_), {.placement = Placement::kAssign});
  EXPECT_EQ(bits_of(*live_), bits_of(*stored_));
  EXPECT_NE(live_->in->weight.data_ptr(), memory);
  EXPECT_EQ(live_->in->weight.unsafeGetTensorImpl(), identity);  // the optimizer knows it still
  std::ifstream file(path(), std::ios::binary);
  const std::string before{std::istreambuf_iterator<char>(file), {}};
  train_step(live_, optimizer, 0);
  EXPECT_FALSE(torch::equal(live_->in->weight, stored_->in->weight));
  std::ifstream again(path(), std::ios::binary);
  EXPECT_TRUE(before == std::string(std::istreambuf_iterator<char>(again), {}));
}

// An embedding that is the output layer as well, as language models have it.
struct TiedImpl : torch::nn::Module {
  TiedImpl() {
    embed = register_module("embed", torch::nn::Embedding(10, 4));
    head = register_parameter("head", embed->weight);
  }
  torch::nn::Embedding embed{nullptr};
  Tensor head;
};
TORCH_MODULE(Tied);

TEST_F(LoadTest, TiedParametersStayTied) {
  Tied stored;
  save(path(), stored, quick());
  const Checkpoint checkpoint = *Checkpoint::open(path());
  EXPECT_EQ(checkpoint.tensor_count(), 2U);
  EXPECT_EQ(checkpoint.storage_count(), 1U);
  for (const Placement placement : {Placement::kInPlace, Placement::kAssign}) {
    Tied live;
    EXPECT_TRUE(load(path(), live, {.placement = placement}).exact());
    EXPECT_TRUE(torch::equal(live->head, stored->head));
    EXPECT_EQ(live->head.data_ptr(), live->embed->weight.data_ptr());
  }
}

// Separate in the program, one in the file: each gets the bytes.
TEST_F(LoadTest, TiedInTheFileOnly) {
  Tied stored;
  save(path(), stored, quick());
  Tied live;
  live->named_parameters()["head"].set_data(torch::zeros({10, 4}));
  live->embed->weight.set_data(torch::zeros({10, 4}));
  load(path(), live);
  EXPECT_TRUE(torch::equal(live->head, stored->head));
  EXPECT_TRUE(torch::equal(live->embed->weight, stored->head));
}

TEST_F(LoadTest, TiedHereAndDifferentInTheFile) {
  Tied live;
  const auto write = [&](const Tensor& head) {
    save_tensors(path(), {{"head", head}, {"embed.weight", torch::ones({10, 4})}}, quick());
  };
  write(torch::zeros({10, 4}));
  const LoadReport report = mismatch(TrainingState().module("", live), live);
  ASSERT_EQ(report.ties.size(), 1U);
  EXPECT_EQ(report.ties[0].found, "another tensor");
  write(torch::ones({10, 4}));  // apart, but equal
  EXPECT_TRUE(load(path(), live).exact());
}

TEST_F(LoadTest, WhatCannotBeFilledIsRefusedBeforeAnythingChanges) {
  struct Broad : torch::nn::Module {
    Broad() {
      first = register_parameter("first", torch::zeros({2}));
      wide = register_buffer("wide", torch::zeros({1, 3}).expand({4, 3}));
    }
    Tensor first, wide;
  };
  Broad stored;
  save(path(), stored, quick());
  Broad live;
  live.first.data().fill_(7);
  EXPECT_EQ(code_of([&] { load(path(), live); }), Code::kUnsupported);
  EXPECT_TRUE((live.first == 7).all().item<bool>());
}

TEST_F(LoadTest, FrozenLayersWhenAskedFor) {
  for (Tensor& parameter : stored_->in->parameters()) parameter.set_requires_grad(false);
  save(path(), TrainingState().module("model", stored_), quick());
  const TrainingState state = TrainingState().module("model", live_);
  load(path(), state);
  EXPECT_TRUE(live_->in->weight.requires_grad());
  load(path(), state, {.restore_requires_grad = true});
  EXPECT_FALSE(live_->in->weight.requires_grad());
  EXPECT_TRUE(live_->out->weight.requires_grad());
  EXPECT_FALSE(live_->norm->running_mean.requires_grad());
}

TEST_F(LoadTest, DamageChangesNothing) {
  const Checkpoint checkpoint = *Checkpoint::open(path());
  const TensorInfo last = *checkpoint.find("model.norm.num_batches_tracked");
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(checkpoint.storage(last.storage).offset));
  file.put('\xFF');
  file.close();
  const std::string before = bits_of(*live_);
  const TrainingState state = TrainingState().module("model", live_);
  EXPECT_EQ(code_of([&] { load(path(), state); }), Code::kChecksumMismatch);
  EXPECT_EQ(bits_of(*live_), before);
  EXPECT_EQ(code_of([&] { load(path(), state, {.proof = Proof::kDuring}); }),
            Code::kChecksumMismatch);
  EXPECT_THAT(message_of([&] { load(path(), state); }), HasSubstr("num_batches_tracked"));
}

TEST_F(LoadTest, MemoryOfAnyLayoutIsFilled) {
  torch::nn::Conv2d stored(torch::nn::Conv2dOptions(3, 4, 3));
  save(path(), stored, quick());
  torch::nn::Conv2d live(torch::nn::Conv2dOptions(3, 4, 3));
  live->weight.set_data(live->weight.contiguous(at::MemoryFormat::ChannelsLast));
  load(path(), live);
  EXPECT_TRUE(torch::equal(live->weight, stored->weight));
  EXPECT_TRUE(live->weight.is_contiguous(at::MemoryFormat::ChannelsLast));
  save(path(), live, quick());  // and the other way round
  torch::nn::Conv2d other(torch::nn::Conv2dOptions(3, 4, 3));
  load(path(), other);
  EXPECT_TRUE(torch::equal(other->weight, stored->weight));
  EXPECT_TRUE(other->weight.is_contiguous());
}

TEST_F(LoadTest, ScriptModules) {
  const auto make = [] {
    torch::jit::Module inner("Inner");
    inner.register_parameter("weight", torch::randn({3, 2}), /*is_buffer=*/false);
    torch::jit::Module module("Outer");
    module.register_module("inner", inner);
    module.register_buffer("count", torch::tensor(5));
    return module;
  };
  const torch::jit::Module stored = make();
  save(path(), TrainingState().module("script", stored), quick());
  const torch::jit::Module live = make();
  const LoadReport report = load(path(), TrainingState().module("script", live));
  EXPECT_THAT(report.loaded, ElementsAre("script.count", "script.inner.weight"));
  EXPECT_TRUE(torch::equal(live.attr("inner").toModule().attr("weight").toTensor(),
                           stored.attr("inner").toModule().attr("weight").toTensor()));
}

// The device of the file means nothing, the caller's does: here the one that there always is.
TEST_F(LoadTest, ToADevice) {
  const void* memory = live_->in->weight.data_ptr();
  Tensor made;
  Tensor kept = torch::arange(5);
  save(path(), TrainingState().module("model", stored_).tensor("kept", kept), quick());
  const TrainingState state = TrainingState().module("model", live_).tensor("kept", made);
  load(path(), state, {.device = torch::kCPU});
  EXPECT_EQ(live_->in->weight.data_ptr(), memory);  // it is there already
  EXPECT_EQ(bits_of(*live_), bits_of(*stored_));
  EXPECT_TRUE(made.device().is_cpu());
  expect_same(made, kept, "made");

  live_->in->weight.data().fill_(7);
  EXPECT_EQ(code_of([&] { load(path(), state, {.device = torch::kMeta}); }),
            Code::kInvalidArgument);
  EXPECT_TRUE((live_->in->weight == 7).all().item<bool>());
}

TEST_F(LoadTest, SeveralModulesEachLoadsAlone) {
  Net ema;
  save(path(), TrainingState().module("model", stored_).module("ema", ema), quick());
  EXPECT_TRUE(load(path(), TrainingState().module("ema", live_)).exact());
  EXPECT_EQ(bits_of(*live_), bits_of(*ema));
}

TEST_F(LoadTest, TensorsOutsideOfModules) {
  Tensor kept = torch::arange(5);
  save(path(), TrainingState().module("model", stored_).tensor("kept", kept), quick());
  Tensor filled = torch::zeros({5}, torch::kLong);
  void* const memory = filled.data_ptr();
  Tensor made;
  load(path(), TrainingState().module("model", live_).tensor("kept", filled));
  EXPECT_TRUE(torch::equal(filled, kept));
  EXPECT_EQ(filled.data_ptr(), memory);
  load(path(), TrainingState().tensor("kept", made));
  expect_same(made, kept, "made");
}

TEST_F(LoadTest, NamesAreChecked) {
  EXPECT_EQ(code_of([&] { TrainingState().module("a", live_).module("a", live_); }),
            Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { TrainingState().module("a", live_).module("", live_); }),
            Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { TrainingState().module("a.b", live_); }), Code::kInvalidArgument);
  Tensor clash = torch::ones({1});
  EXPECT_EQ(code_of([&] {
              save(path(), TrainingState().module("m", live_).tensor("m.scale", clash), quick());
            }),
            Code::kInvalidArgument);
}

TEST_F(LoadTest, FilesThatAreNotThereOrNotOurs) {
  EXPECT_EQ(code_of([&] { load(path("none"), live_); }), Code::kNotFound);
  std::ofstream(path("text")) << std::string(10000, 'x');
  EXPECT_NE(code_of([&] { load(path("text"), live_); }), Code::kOk);
}

TEST_F(LoadTest, ErrorsAreC10Errors) { EXPECT_THROW(load(path("none"), live_), c10::Error); }

TEST_F(LoadTest, SavedTwiceTheBytesAreEqual) {
  save(path("again"), TrainingState().module("model", stored_), quick());
  EXPECT_EQ(Checkpoint::open(path())->file().root, Checkpoint::open(path("again"))->file().root);
}

}  // namespace
}  // namespace ingot::libtorch::testing
