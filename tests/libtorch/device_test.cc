// Tensors of other devices: filled where they lie, as views of a slab, saved from where they lie;
// and how all of it relates to what LibTorch has given the device to do.
#include <algorithm>

#include "ingot/checkpoint.h"

#include "tests/libtorch/fake_accelerator.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using torch::Tensor;

class DeviceTest : public ::testing::Test {
 protected:
  std::string path(const char* name = "file.ingot") const { return scratch_.path(name); }
  DeviceProvider devices() { return accelerator_devices(asked_); }

  LoadOptions onto_devices() {
    LoadOptions options;
    options.devices = devices();
    return options;
  }
  SaveOptions from_devices() {
    SaveOptions options = quick();
    options.devices = devices();
    return options;
  }

  std::shared_ptr<Asked> asked_ = std::make_shared<Asked>();
  ingot::testing::Scratch scratch_;
};

// Large and small, 0-d and empty, several types, two that are tied, one that is not row-major.
TensorDict some_tensors() {
  TensorDict tensors;
  const Tensor large = torch::arange(600'000, torch::kFloat).reshape({600, 1000});
  tensors.insert("large", large);
  tensors.insert("tied", large);
  tensors.insert("rows", large.slice(0, 10, 20));
  tensors.insert("images", torch::arange(2 * 3 * 8 * 8, torch::kHalf)
                               .reshape({2, 3, 8, 8})
                               .contiguous(torch::MemoryFormat::ChannelsLast));
  tensors.insert("number", torch::tensor(3.5));
  tensors.insert("nothing", torch::empty({0, 4}));
  for (int i = 0; i < 40; ++i) {
    tensors.insert("small." + std::to_string(i), torch::full({7 + i}, i, torch::kLong));
  }
  return tensors;
}

void expect_all_same(const TensorDict& expected, const TensorDict& found) {
  ASSERT_EQ(expected.keys(), found.keys());
  for (const auto& item : expected) {
    const Tensor& there = found[item.key()];
    EXPECT_EQ(there.strides(), item.value().strides()) << item.key();
    expect_same(item.value().contiguous(), there.cpu().contiguous(), item.key());
  }
}

TEST_F(DeviceTest, TensorsAreFilledWhereTheyLie) {
  const TensorDict tensors = some_tensors();
  save_tensors(path(), tensors, quick());
  const int before = copies_by_torch();
  const TensorDict loaded = load_tensors(
      path(), {.device = accelerator(), .devices = devices(), .staging_bytes = 4 << 20});
  EXPECT_EQ(copies_by_torch(), before);
  EXPECT_EQ(loaded["large"].device(), accelerator());
  EXPECT_TRUE(loaded["tied"].is_alias_of(loaded["large"]));
  EXPECT_TRUE(loaded["rows"].is_alias_of(loaded["large"]));
  EXPECT_EQ(asked_->devices, 1);
  EXPECT_GT(asked_->staging_bytes, 0U);
  EXPECT_LE(asked_->staging_bytes, 4U << 20);
  expect_all_same(tensors, loaded);
}

TEST_F(DeviceTest, OneSlabWithViews) {
  const TensorDict tensors = some_tensors();
  save_tensors(path(), tensors, quick());
  for (const torch::Device device : {torch::Device(torch::kCPU), accelerator(1)}) {
    const int before = copies_by_torch();
    const TensorDict loaded = load_tensors(
        path(), {.placement = Placement::kSlab, .device = device, .devices = devices()});
    EXPECT_EQ(copies_by_torch(), before);
    for (const auto& item : loaded) {
      EXPECT_EQ(item.value().device(), device);
      if (item.value().numel() == 0) continue;
      EXPECT_TRUE(item.value().is_alias_of(loaded["number"])) << item.key();
    }
    expect_all_same(tensors, loaded);
  }
}

TEST_F(DeviceTest, OnlyWhatIsAskedForIsInTheSlab) {
  save_tensors(path(), some_tensors(), quick());
  const TensorDict loaded =
      load_tensors(path(), {.prefix = "small.", .placement = Placement::kSlab});
  EXPECT_EQ(loaded.size(), 40U);
  EXPECT_LT(loaded["small.0"].storage().nbytes(), 100'000U);
}

TEST_F(DeviceTest, ASlabKeepsWhatQuantisedTensorsNeed) {
  TensorDict tensors;
  tensors.insert("q",
                 torch::quantize_per_tensor(torch::linspace(-1, 1, 64), 0.1, 3, torch::kQInt8));
  tensors.insert("plain", torch::arange(10));
  save_tensors(path(), tensors, quick());
  const TensorDict loaded = load_tensors(path(), {.placement = Placement::kSlab});
  expect_same(loaded["q"].dequantize(), tensors["q"].dequantize(), "q");
  expect_same(loaded["plain"], tensors["plain"], "plain");
}

struct Layers : torch::nn::Module {
  explicit Layers(torch::Device device, float value = 0) {
    const auto on = torch::TensorOptions().device(device);
    first = register_parameter("first", torch::full({300, 500}, value).to(on));
    turned = register_parameter("turned", torch::full({40, 50}, value).to(on).t());
    counter = register_buffer("counter", torch::full({}, value).to(on));
  }
  Tensor first, turned, counter;
};

TEST_F(DeviceTest, ParametersKeepTheirMemory) {
  const auto saved = std::make_shared<Layers>(torch::kCPU, 5);
  save(path(), *saved, quick());
  const auto model = std::make_shared<Layers>(accelerator());
  const void* memory = model->first.data_ptr();
  const LoadReport report = load(path(), *model, onto_devices());
  EXPECT_TRUE(report.exact());
  EXPECT_EQ(model->first.data_ptr(), memory);
  EXPECT_EQ(model->turned.strides(), (std::vector<std::int64_t>{1, 50}));
  for (const auto& parameter : model->named_parameters()) {
    expect_same(saved->named_parameters()[parameter.key()].contiguous(),
                parameter.value().detach().cpu().contiguous(), parameter.key());
  }
  EXPECT_EQ(model->counter.cpu().item<float>(), 5);
}

TEST_F(DeviceTest, AModelInASlab) {
  const auto saved = std::make_shared<Layers>(torch::kCPU, 5);
  save(path(), *saved, quick());
  const auto model = std::make_shared<Layers>(accelerator());
  LoadOptions options = onto_devices();
  options.placement = Placement::kSlab;
  load(path(), *model, options);
  EXPECT_TRUE(model->first.is_alias_of(model->counter));
  EXPECT_TRUE(model->first.requires_grad());
  EXPECT_TRUE(torch::equal(model->first.detach().cpu(), saved->first));
  EXPECT_TRUE(torch::equal(model->turned.detach().cpu(), saved->turned));
}

TEST_F(DeviceTest, WithoutADeviceLibTorchCopies) {
  const auto saved = std::make_shared<Layers>(torch::kCPU, 5);
  save(path(), *saved, quick());
  const auto model = std::make_shared<Layers>(accelerator());
  const int before = copies_by_torch();
  for (const Placement placement : {Placement::kInPlace, Placement::kSlab}) {
    load(path(), *model, {.placement = placement});
    EXPECT_TRUE(torch::equal(model->first.detach().cpu(), saved->first));
  }
  EXPECT_GT(copies_by_torch(), before);
  save(path("back"), *model, quick());
  EXPECT_EQ(Checkpoint::open(path("back"))->file().root, Checkpoint::open(path())->file().root);
}

// Two tensors of a run may overlap where those of the file do not.
TEST_F(DeviceTest, MemoryThatOverlapsIsWrittenByOneAtATime) {
  Tensor whole = torch::zeros({1000});
  Tensor low = whole.slice(0, 0, 600);
  Tensor high = whole.slice(0, 400, 1000);
  Tensor stored_low = torch::full({600}, 1.0F);
  Tensor stored_high = torch::full({600}, 2.0F);
  save(path(), TrainingState().tensor("low", stored_low).tensor("high", stored_high), quick());
  // In this order, not in the file's.
  load(path(), TrainingState().tensor("high", high).tensor("low", low));
  EXPECT_EQ(whole.slice(0, 0, 600).sum().item<float>(), 600);
  EXPECT_EQ(whole.slice(0, 600, 1000).sum().item<float>(), 800);
}

TEST_F(DeviceTest, ALoadBeginsAfterWhatTheStreamWasGiven) {
  Tensor stored = torch::full({1000}, 5.0F);
  save(path(), TrainingState().tensor("t", stored), quick());
  Tensor there = torch::zeros({1000}).to(accelerator());
  bool done = false;
  enqueue(accelerator(), [&] {
    done = true;
    std::fill_n(static_cast<float*>(there.data_ptr()), 1000, 7.0F);
  });
  load(path(), TrainingState().tensor("t", there), onto_devices());
  EXPECT_TRUE(done);
  EXPECT_TRUE(torch::equal(there.cpu(), stored));
}

// LibTorch turns what lies otherwise in the file, and leaves that to the stream.
TEST_F(DeviceTest, WhatLibTorchConvertsHasArrived) {
  Tensor stored = torch::arange(2000, torch::kFloat).reshape({50, 40});
  save(path(), TrainingState().tensor("t", stored), quick());
  Tensor there = torch::zeros({40, 50}).to(accelerator()).t();
  load(path(), TrainingState().tensor("t", there), onto_devices());
  // By its memory: LibTorch itself would wait.
  const auto* memory = static_cast<const float*>(there.data_ptr());
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(memory[i], static_cast<float>(i % 50 * 40 + i / 50));
}

// torch::kCUDA, say, for a model that lies on cuda:0.
TEST_F(DeviceTest, ADeviceWithoutAnIndexIsTheCurrentOne) {
  const auto saved = std::make_shared<Layers>(torch::kCPU, 5);
  save(path(), *saved, quick());
  const auto model = std::make_shared<Layers>(accelerator());
  const void* memory = model->first.data_ptr();
  LoadOptions options = onto_devices();
  options.device = torch::Device(torch::kPrivateUse1);
  load(path(), *model, options);
  EXPECT_EQ(model->first.data_ptr(), memory);
  EXPECT_TRUE(torch::equal(model->first.detach().cpu(), saved->first));
}

TEST_F(DeviceTest, ASaveBeginsAfterWhatTheStreamWasGiven) {
  for (const bool async : {false, true}) {
    Tensor there = torch::zeros({1000}).to(accelerator());
    enqueue(accelerator(), [&] { std::fill_n(static_cast<float*>(there.data_ptr()), 1000, 7.0F); });
    if (async) {
      save_async(path(), TrainingState().tensor("t", there), from_devices()).wait();
    } else {
      save(path(), TrainingState().tensor("t", there), from_devices());
    }
    EXPECT_TRUE(torch::equal(load_tensors(path())["t"], torch::full({1000}, 7.0F))) << async;
  }
}

TEST_F(DeviceTest, WhatIsSavedFromADeviceIsWhatIsSavedFromTheHost) {
  const TensorDict tensors = some_tensors();
  const WriteReport from_host = save_tensors(path("host"), tensors, quick());
  save_tensors(path(), tensors, quick());
  const TensorDict there = load_tensors(path(), {.device = accelerator(), .devices = devices()});
  const int before = copies_by_torch();
  EXPECT_EQ(save_tensors(path("device"), there, from_devices()).root, from_host.root);
  EXPECT_EQ(copies_by_torch(), before);
}

// Not in one piece of memory: LibTorch makes a row-major copy, on the device.
TEST_F(DeviceTest, TensorsWithGapsAreSaved) {
  const Tensor wide = torch::arange(100'000, torch::kInt).reshape({100, 1000});
  TensorDict here;
  TensorDict there;
  for (int i = 0; i < 3; ++i) {
    const std::string name = "t" + std::to_string(i);
    here.insert(name, wide.clone().slice(1, i, 500));
    there.insert(name, wide.to(accelerator()).slice(1, i, 500));
  }
  const WriteReport expected = save_tensors(path("host"), here, quick());
  EXPECT_EQ(save_tensors(path(), there, from_devices()).root, expected.root);
}

// Views that overlap, larger than what is copied at once, and with gaps: gathered in host memory.
TEST_F(DeviceTest, OverlappingViewsWithGapsAreSaved) {
  const Tensor wide = torch::arange(1001 * 4001, torch::kInt).reshape({1001, 4001});
  const auto views_of = [](const Tensor& base) {
    TensorDict views;
    views.insert("halves", base.slice(1, 0, 4001, 2));
    views.insert("thirds", base.slice(1, 0, 4001, 3));
    views.insert("repeated", base.slice(1, 5, 6).expand({1001, 7}));
    return views;
  };
  const WriteReport expected = save_tensors(path("host"), views_of(wide), quick());
  EXPECT_EQ(expected.data_bytes, wide.nbytes());  // one storage
  const TensorDict there = views_of(wide.to(accelerator()));
  EXPECT_EQ(save_tensors(path(), there, from_devices()).root, expected.root);
  expect_all_same(views_of(wide), load_tensors(path()));
}

TEST_F(DeviceTest, SnapshotsOfADevice) {
  for (const Snapshot where : {Snapshot::kHost, Snapshot::kDevice}) {
    Tensor there = torch::full({200'000}, 5.0F).to(accelerator());
    SaveOptions options = from_devices();
    options.snapshot = where;
    *asked_ = {};
    PendingSave pending = save_async(path(), TrainingState().tensor("t", there), options);
    std::fill_n(static_cast<float*>(there.data_ptr()), 200'000, 9.0F);
    EXPECT_EQ(pending.snapshot_bytes(), 800'000U);
    pending.wait();
    EXPECT_TRUE(torch::equal(load_tensors(path())["t"], torch::full({200'000}, 5.0F)));
    EXPECT_EQ(asked_->queues > 0, where == Snapshot::kDevice);  // written from there
  }
}

// The training that goes on meanwhile is not waited for.
TEST_F(DeviceTest, ASnapshotOnTheDeviceIsWrittenWhileTheStreamIsBusy) {
  Tensor first = torch::full({200'000}, 5.0F).to(accelerator());
  Tensor second = torch::full({200'000}, 6.0F).to(accelerator());
  SaveOptions options = from_devices();
  options.snapshot = Snapshot::kDevice;
  bool trained = false;
  PendingSave pending =
      save_async(path(), TrainingState().tensor("first", first).tensor("second", second), options);
  enqueue(accelerator(), [&] { trained = true; });
  pending.wait();
  EXPECT_FALSE(trained);
  EXPECT_TRUE(torch::equal(load_tensors(path())["second"], torch::full({200'000}, 6.0F)));
  EXPECT_EQ(first.cpu().sum().item<float>(), 1e6F);  // which does wait
  EXPECT_TRUE(trained);
}

TEST_F(DeviceTest, OptimizerStateGoesWhereItsParameterIs) {
  const auto step = [](Tensor& parameter, torch::optim::Adam& adam) {
    parameter.mutable_grad() = torch::full({50}, 0.5F).to(parameter.device());
    adam.step();
  };
  const auto trained = [&](torch::Device device) {
    return torch::full({50}, 2.0F).to(device).requires_grad_();
  };
  Tensor host = trained(torch::kCPU);
  torch::optim::Adam host_adam({host}, torch::optim::AdamOptions(0.1));
  step(host, host_adam);
  save(path(), TrainingState().tensor("p", host).optimizer("adam", host_adam), quick());

  Tensor there = trained(accelerator());
  torch::optim::Adam adam({there}, torch::optim::AdamOptions(0.1));
  load(path(), TrainingState().tensor("p", there).optimizer("adam", adam), onto_devices());
  const auto& state =
      static_cast<torch::optim::AdamParamState&>(*adam.state().at(there.unsafeGetTensorImpl()));
  EXPECT_EQ(state.exp_avg().device(), accelerator());
  EXPECT_EQ(state.step(), 1);
  step(host, host_adam);
  step(there, adam);
  EXPECT_TRUE(torch::equal(there.detach().cpu(), host.detach()));
}

// From one device to another, whatever the file was saved from: module, buffers, moments.
TEST_F(DeviceTest, AModuleAndItsOptimizerMove) {
  const auto model = std::make_shared<Layers>(accelerator(0), 2);
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(0.1));
  for (const Tensor& parameter : model->parameters()) {
    parameter.mutable_grad() = torch::full(parameter.sizes(), 0.5F).to(parameter.device());
  }
  adam.step();
  const auto state = TrainingState().module("", model).optimizer("adam", adam);
  const auto moment = [&](const Tensor& parameter) {
    return static_cast<torch::optim::AdamParamState&>(
               *adam.state().at(parameter.unsafeGetTensorImpl()))
        .exp_avg();
  };
  const Tensor first = model->first.detach().cpu().clone();
  const Tensor first_moment = moment(model->first).cpu().clone();
  const auto root = save(path(), state, from_devices()).root;
  LoadOptions options = onto_devices();
  for (const torch::Device device : {accelerator(1), accelerator(0)}) {
    options.device = device;
    EXPECT_TRUE(load(path(), state, options).exact());
    for (const Tensor& there : {model->first, model->turned, model->counter, moment(model->first),
                                moment(model->turned)}) {
      EXPECT_EQ(there.device(), device);
    }
    EXPECT_TRUE(torch::equal(model->first.detach().cpu(), first));
    EXPECT_TRUE(torch::equal(moment(model->first).cpu(), first_moment));
    // What was moved is saved as what was not.
    EXPECT_EQ(save(path("moved"), state, from_devices()).root, root);
  }
}

// LibTorch gives no CPU tensor the memory of a device of this kind (module->to() cannot either):
// told before anything has changed.
TEST_F(DeviceTest, AMoveThatLibTorchCannotMake) {
  const auto saved = std::make_shared<Layers>(torch::kCPU, 5);
  save(path(), *saved, quick());
  const auto model = std::make_shared<Layers>(torch::kCPU, 1);
  LoadOptions options = onto_devices();
  options.device = accelerator();
  EXPECT_EQ(code_of([&] { load(path(), *model, options); }), Code::kUnsupported);
  for (const Tensor& tensor : {model->first, model->turned, model->counter}) {
    EXPECT_TRUE(tensor.device().is_cpu());
    EXPECT_TRUE((tensor == 1).all().item<bool>());
  }
}

TEST_F(DeviceTest, WhatArrivedIsProven) {
  Tensor stored = torch::arange(1'000'000, torch::kInt);
  save(path(), TrainingState().tensor("t", stored), quick());
  Tensor there = torch::zeros({1'000'000}, torch::kInt).to(accelerator());
  LoadOptions options = onto_devices();
  for (const Proof proof : {Proof::kDuring, Proof::kArrived}) {
    *asked_ = {};
    options.proof = proof;
    load(path(), TrainingState().tensor("t", there), options);
    EXPECT_EQ(asked_->digests > 0, proof == Proof::kArrived);
    EXPECT_TRUE(torch::equal(there.cpu(), stored));
  }
}

TEST_F(DeviceTest, ADeviceThatFailsIsAnErrorAndChangesNothing) {
  Tensor stored = torch::full({1000}, 5.0F);
  save(path(), TrainingState().tensor("t", stored), quick());
  Tensor there = torch::full({1000}, 1.0F).to(accelerator());
  LoadOptions options;
  options.devices = accelerator_devices(asked_, /*broken=*/true);
  EXPECT_EQ(code_of([&] { load(path(), TrainingState().tensor("t", there), options); }),
            Code::kResourceExhausted);
  EXPECT_TRUE(torch::equal(there.cpu(), torch::full({1000}, 1.0F)));
  SaveOptions saving = quick();
  saving.devices = options.devices;
  EXPECT_EQ(code_of([&] { save(path(), TrainingState().tensor("t", there), saving); }),
            Code::kResourceExhausted);
  EXPECT_TRUE(torch::equal(load_tensors(path())["t"], stored));  // the file is as it was
}

}  // namespace
}  // namespace ingot::libtorch::testing
