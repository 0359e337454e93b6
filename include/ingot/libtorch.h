// Checkpoints of LibTorch modules, optimizers and whole training runs. Start here when you know
// torch.save and load_state_dict; docs/training.md compares them row by row.
//
//   auto state = ingot::libtorch::TrainingState()
//                    .module("model", model)
//                    .optimizer("adamw", optimizer)
//                    .value("epoch", epoch)
//                    .rng();
//   ingot::libtorch::save("runs/step-1000.ingot", state);
//   ...
//   ingot::libtorch::load("runs/step-1000.ingot", state);
//
// One description serves saving and loading. Everything is matched by name: parameters by their
// fully qualified names, the optimizer's state by the name of the parameter it belongs to.
//
// Failures are c10::Error: ingot::libtorch::Error, which carries a Status, or MismatchError, which
// carries a LoadReport; what LibTorch itself throws passes through. All functions block unless they
// say otherwise, may be called from any thread, and must not run while another thread changes the
// objects that a TrainingState names.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/device.h"
#include "ingot/directory.h"
#include "ingot/progress.h"
#include "ingot/state.h"
#include "ingot/status.h"
#include "ingot/writer.h"

namespace torch::jit {
struct Module;
}

namespace ingot::libtorch {

// What the core reported: code, file, tensor, byte range.
class Error : public c10::Error {
 public:
  explicit Error(Status status);
  const Status& status() const noexcept { return status_; }

 private:
  Status status_;
};

// ---- Values of the state tree ------------------------------------------------------------------

// to_state() and from_state() turn a C++ value into a value of the state tree and back: numbers,
// bool, strings, StateValue, vectors, maps by string and optionals of those. Overload them beside
// a type of your own to make it a value. from_state() returns false, and changes nothing, when
// the tree holds something else; an integer is taken where a floating-point number is wanted. A
// StateValue takes any value of the tree; a tensor in it is the name that the tensor has in the
// file.
StateValue to_state(bool value);
StateValue to_state(std::int64_t value);
StateValue to_state(double value);
StateValue to_state(const std::string& value);
StateValue to_state(const StateValue& value);
bool from_state(const StateView& view, bool& value);
bool from_state(const StateView& view, std::int64_t& value);
bool from_state(const StateView& view, double& value);
bool from_state(const StateView& view, std::string& value);
bool from_state(const StateView& view, StateValue& value);

template <typename T>
concept Integer =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, std::int64_t>;

// Integers are stored as int64; save() throws c10::Error for one of uint64 that does not fit.
template <Integer T>
StateValue to_state(T value) {
  TORCH_CHECK(std::in_range<std::int64_t>(value), "an integer does not fit in int64");
  return to_state(static_cast<std::int64_t>(value));
}
template <Integer T>
bool from_state(const StateView& view, T& value) {
  std::int64_t number = 0;
  if (!from_state(view, number) || !std::in_range<T>(number)) return false;
  value = static_cast<T>(number);
  return true;
}
inline StateValue to_state(float value) { return to_state(static_cast<double>(value)); }
inline bool from_state(const StateView& view, float& value) {
  double number = 0;
  if (!from_state(view, number)) return false;
  value = static_cast<float>(number);
  return true;
}

// Before any of them is defined: they nest.
template <typename T>
StateValue to_state(const std::vector<T>& values);
template <typename T>
bool from_state(const StateView& view, std::vector<T>& values);
template <typename T>
StateValue to_state(const std::map<std::string, T>& values);
template <typename T>
bool from_state(const StateView& view, std::map<std::string, T>& values);
template <typename T>
StateValue to_state(const std::optional<T>& value);
template <typename T>
bool from_state(const StateView& view, std::optional<T>& value);

template <typename T>
StateValue to_state(const std::vector<T>& values) {
  StateValue list = StateValue::list();
  for (const T& value : values) list.append(to_state(value));
  return list;
}
template <typename T>
bool from_state(const StateView& view, std::vector<T>& values) {
  if (view.kind() != StateKind::kList && view.kind() != StateKind::kTuple) return false;
  std::vector<T> read;
  for (auto child = view.first_child(); child; child = child->next_sibling()) {
    T value{};
    if (!from_state(*child, value)) return false;
    read.push_back(std::move(value));
  }
  values = std::move(read);
  return true;
}

template <typename T>
StateValue to_state(const std::map<std::string, T>& values) {
  StateValue dict = StateValue::dict();
  for (const auto& [key, value] : values) dict.set(key, to_state(value));
  return dict;
}
template <typename T>
bool from_state(const StateView& view, std::map<std::string, T>& values) {
  if (view.kind() != StateKind::kDict) return false;
  std::map<std::string, T> read;
  for (auto child = view.first_child(); child; child = child->next_sibling()) {
    const std::optional<StateKey> key = child->key();
    T value{};
    if (!key || !key->is_string() || !from_state(*child, value)) return false;
    read.emplace(key->text(), std::move(value));
  }
  values = std::move(read);
  return true;
}

template <typename T>
StateValue to_state(const std::optional<T>& value) {
  return value ? to_state(*value) : StateValue::null();
}
template <typename T>
bool from_state(const StateView& view, std::optional<T>& value) {
  if (view.kind() == StateKind::kNull) {
    value.reset();
    return true;
  }
  T read{};
  if (!from_state(view, read)) return false;
  value = std::move(read);
  return true;
}

// ---- What is saved and loaded ------------------------------------------------------------------

struct Parts;  // opaque

// Names for live objects. Holds references: modules, optimizers, schedulers, tensors and values
// must outlive it (modules given as ModuleHolder or shared_ptr are kept alive). Nothing is read
// or copied until save() or load() runs, so one TrainingState, made once, serves a whole run.
// Names must differ within their kind; Error with kInvalidArgument otherwise. Copies are
// independent descriptions of the same objects. One thread at a time.
class TrainingState {
 public:
  TrainingState();
  TrainingState(const TrainingState& other);
  TrainingState(TrainingState&& other) noexcept;
  TrainingState& operator=(TrainingState other) noexcept;
  ~TrainingState();

  // Parameters and buffers, each under "<name>.<its fully qualified name>"; under its bare name
  // when `name` is empty, which only the sole module of a state may be.
  TrainingState& module(std::string name, torch::nn::Module& module);
  TrainingState& module(std::string name, std::shared_ptr<torch::nn::Module> module);
  template <typename Contained>
  TrainingState& module(std::string name, const torch::nn::ModuleHolder<Contained>& holder) {
    return module(std::move(name), std::static_pointer_cast<torch::nn::Module>(holder.ptr()));
  }
  TrainingState& module(std::string name, const torch::jit::Module& module);

  // A module that gives names to an optimizer's parameters and is itself neither saved nor loaded:
  // for an optimizer whose model lies in another file.
  TrainingState& naming(std::string name, torch::nn::Module& module);

  // Options and state. Each parameter must be one of a module or tensor of this state; with `of`,
  // its name is taken from that module alone.
  TrainingState& optimizer(std::string name, torch::optim::Optimizer& optimizer,
                           std::string of = {});

  // The counters of a scheduler (its settings are constructor arguments and stay as they are).
  TrainingState& scheduler(std::string name, torch::optim::LRScheduler& scheduler);
  TrainingState& scheduler(std::string name, torch::optim::ReduceLROnPlateauScheduler& scheduler);

  // A tensor outside of modules. load() fills it in place; one that is undefined is made.
  TrainingState& tensor(std::string name, torch::Tensor& tensor);

  // Any value that to_state() and from_state() know, by reference: epoch, step, best loss, …
  template <typename T>
  TrainingState& value(std::string name, T& value) {  // NOLINT(performance-unnecessary-value-param)
    return add_value(
        std::move(name), [&value] { return to_state(value); },
        [&value](const StateView& view) -> std::function<void()> {
          auto read = std::make_shared<T>();
          if (!from_state(view, *read)) return nullptr;
          return [&value, read] { value = std::move(*read); };
        });
  }

  // The default generators: the CPU's, and every CUDA device's where there are any. A file without
  // one of them leaves it as it is.
  TrainingState& rng();

  // A named blob, saved as it is: config.json, a tokenizer, a TorchScript archive. Read it back
  // with load_attachment().
  TrainingState& attach(std::string name, std::string media_type, std::string content);

  const Parts& parts() const { return *parts_; }

 private:
  TrainingState& add_value(std::string name, std::function<StateValue()> save,
                           std::function<std::function<void()>(const StateView&)> load);
  std::unique_ptr<Parts> parts_;
};

// ---- Other devices than the CPU ----------------------------------------------------------------

// The Device (ingot/device.h) that copies to and from the memory of a LibTorch device. Null: bytes
// pass through host memory, and LibTorch copies them, a tensor at a time. Asked once for each
// device that a save or a load meets, in the thread that reads or writes, which is save_async()'s
// own for the latter; what it returns is let go when that save or load ends.
using DeviceProvider = std::function<std::shared_ptr<Device>(torch::Device device)>;

// ingot::cuda's for CUDA, where this library was built with it; else null.
std::shared_ptr<Device> default_device(torch::Device device);

// ---- Saving ------------------------------------------------------------------------------------

// Where save_async() keeps what it copies.
enum class Snapshot : std::uint8_t {
  kHost,    // in host memory, page-locked when it comes from a GPU
  kDevice,  // in the memory of the device that a tensor lies on: the shortest wait, where there is
            // room for a second copy; LibTorch's out-of-memory error otherwise
};

struct SaveOptions {
  // Threads: 0, as many as the process may run on.
  WriterOptions writer = {.threads = 0};
  Snapshot snapshot = Snapshot::kHost;  // of save_async()
  DeviceProvider devices = default_device;
};

// Writes everything that `state` names to one file, atomically and durably (ingot/writer.h): until
// this returns, whatever `path` named before is untouched. Tied tensors and views of one storage
// are stored once. Host memory without gaps is written from where it lies. Tensors on other devices
// come to the host through staging memory of 32 MiB a device, or, where SaveOptions::devices has
// nothing, one storage at a time, after all that their current streams had been given when save()
// was called. What else is copied, one storage at a time, each before it is written:
//   tensors with gaps, quantised ones that are not contiguous    row-major, on their device
//   views that overlap, of which none reaches all bytes          what is written, in host memory
//   int4                                                         packed, in host memory
// Conjugate and negative views are all resolved when it begins, until it ends. Throws Error:
// kUnsupported for sparse, nested and meta tensors, kDeviceError, and the writer's.
WriteReport save(const std::string& path, const TrainingState& state,
                 const SaveOptions& options = {});

// One module under its bare names: a file of weights.
WriteReport save(const std::string& path, torch::nn::Module& module,
                 const SaveOptions& options = {});
template <typename Contained>
WriteReport save(const std::string& path, const torch::nn::ModuleHolder<Contained>& module,
                 const SaveOptions& options = {}) {
  return save(path, *module.ptr(), options);
}

using TensorDict = torch::OrderedDict<std::string, torch::Tensor>;
WriteReport save_tensors(const std::string& path, const TensorDict& tensors,
                         const SaveOptions& options = {});

// A save that goes on in a thread of its own. Movable; one thread at a time may use it, cancel()
// excepted. The destructor waits for the end; its error is then lost, and so is the file.
class PendingSave {
 public:
  struct Impl;  // opaque
  explicit PendingSave(std::unique_ptr<Impl> impl);
  PendingSave(PendingSave&&) noexcept;
  PendingSave& operator=(PendingSave&&) noexcept;  // waits for the save that it held
  ~PendingSave();

  bool done() const;
  struct Progress {
    std::uint64_t done_bytes = 0;
    std::uint64_t total_bytes = 0;
  };
  Progress progress() const;
  // Bytes of the snapshot, held until the end. (Page-locked memory for it comes from LibTorch's own
  // cache, which rounds each tensor up to a power of two, and keeps it for the next one.)
  std::uint64_t snapshot_bytes() const;
  // Asks it to stop; wait() then throws Error with kCancelled unless the file was complete.
  void cancel();
  // Blocks until the file is durable, or throws why it is not. Any number of times.
  const WriteReport& wait();

 private:
  std::unique_ptr<Impl> impl_;
};

// Takes a snapshot (a copy of every storage: SaveOptions::snapshot) and returns; the file is
// written meanwhile. The snapshot is taken in the current streams of the devices, which it waits
// for. What is trained from then on never reaches it. `options.writer.progress` and
// `.cancel` are called and looked at as in save() and must outlive the handle. Saves under
// different names may overlap; of two under one name the one that ends last stays. Throws for
// tensors that cannot be stored, for parameters without a name, and when there is no thread
// (kResourceExhausted); everything else is wait()'s.
[[nodiscard]] PendingSave save_async(const std::string& path, const TrainingState& state,
                                     const SaveOptions& options = {});

// ---- Loading -----------------------------------------------------------------------------------

// How a module's tensors get their bytes.
enum class Placement : std::uint8_t {
  kInPlace,  // into the memory that they have: no second copy of the model
  kAssign,   // they become views of the mapped file, zero-copy: reading pages it in, and writing,
             // in-place training included, copies a page and never reaches the file. Tensors on
             // other devices, and packed integers, are filled in place. Nobody may make the file
             // shorter meanwhile: touching what it lost is a SIGBUS (docs/security.md).
  kSlab,     // they become views of one new piece of memory a device, laid out like the file: many
             // small tensors are few large copies. It is freed when the last of them is gone.
             // Tensors on one storage of the file share theirs. Packed integers are filled in
             // place. Quantised tensors get memory of their own: their scale belongs to it.
};

enum class Proof : std::uint8_t {
  kBefore,   // every byte is proven before the first tensor changes: a damaged file changes nothing
  kDuring,   // each tensor as it is read: one pass, and after a checksum error the objects hold a
             // mixture; throw them away. Views, which are not read, are proven before.
  kArrived,  // as kDuring, but a chunk that goes to one place of another device is hashed there, in
             // its memory, instead of on the way, where that device can (Device::digest)
  kNone,
};

// Whose options an optimizer's group has after a load.
enum class OptionsFrom : std::uint8_t { kFile, kOptimizer };

// `from`, a whole name or the beginning of one up to a dot, becomes `to`. Names are full:
// "model.encoder.weight". To take a beginning away, say it with its dot: {"module.", ""}.
struct Rename {
  std::string from;
  std::string to;
};

struct LoadOptions {
  // Any missing or unexpected name, any shape or dtype that differs, any other set of members or
  // groups of an optimizer throws MismatchError, and nothing has changed. When false, what matches
  // is loaded and the report says what did not. An optimizer, scheduler, value or generator that
  // the file does not have at all is no mismatch; see LoadReport::absent.
  bool strict = true;
  Placement placement = Placement::kInPlace;
  Proof proof = Proof::kBefore;
  // Applied in this order to the names in the file; the first that fits wins.
  std::vector<Rename> renames = {};
  // Names of tensors of this run to load, and the state of optimizers that goes with them; the
  // others stay as they are and are no mismatch. Empty: all.
  std::function<bool(std::string_view name)> filter = {};
  // Groups of optimizers: options of the file, unless this says otherwise for one.
  std::function<OptionsFrom(std::string_view optimizer, std::size_t group)> options_from = {};
  // Frozen parameters of the file are frozen, others are not.
  bool restore_requires_grad = false;
  // Moves the tensors that are loaded to this device. What is filtered or missing stays where it
  // is. Not torch::kMeta.
  std::optional<torch::Device> device = std::nullopt;
  int threads = 0;  // that prove and read; 0: as many as the process may run on
  OpenOptions open = {};
  DeviceProvider devices = default_device;
  // Bound of the staging memory (page-locked, for a GPU): for other devices, or from storage.
  std::uint64_t staging_bytes = std::uint64_t{256} << 20;
};

struct Mismatch {
  std::string name;
  std::string expected;  // by the object that was to be loaded: "[3, 4]", "float32"
  std::string found;     // in the file
};

struct OptimizerReport {
  std::string name;
  std::string class_name;
  std::vector<std::string> restored;    // parameters whose state was loaded
  std::vector<std::string> stateless;   // in the file, without state (never stepped, frozen,
                                        // or Python's None): they begin anew
  std::vector<std::string> fresh;       // not in the file: they keep what they have
  std::vector<std::string> unexpected;  // in the file, not in this optimizer
  std::vector<std::string> filtered;
  std::vector<Mismatch> mismatches;  // shapes, dtypes of state entries
  std::vector<std::string> groups;   // in what way the groups differ, in words
  std::vector<std::string> options;  // "group 0: lr 0.001 -> 0.01": what the load changed
  std::vector<std::string> ignored;  // options and entries of the file that LibTorch lacks
  // "model.w: max_exp_avg_sq": entries that the options of its group ask for and that are not
  // there; they begin as zeros, as in a new state.
  std::vector<std::string> started;
};

struct LoadReport {
  std::string path;
  // Module tensors and tensors, by full name, in order of registration.
  std::vector<std::string> loaded;
  std::vector<std::string> missing;     // wanted, not in the file
  std::vector<std::string> unexpected;  // in the file under a module of this state, not wanted
  std::vector<std::string> filtered;
  std::vector<Mismatch> shapes;
  std::vector<Mismatch> dtypes;
  std::vector<Mismatch> ties;    // one tensor of this run, two different ones in the file
  std::vector<Mismatch> values;  // of another type in the file
  std::vector<OptimizerReport> optimizers;
  // Parts of the state that the file does not have: "optimizer adamw", "value epoch", "rng".
  std::vector<std::string> absent;
  std::uint64_t bytes = 0;  // read into tensors

  // Nothing missing, unexpected or different.
  bool exact() const;
  // For people: a line a fact, nothing about what is as it should be.
  std::string to_string() const;
};

// File and objects differ. Its Status has Code::kInvalidArgument; the report says what differs.
class MismatchError : public Error {
 public:
  explicit MismatchError(LoadReport report);
  const LoadReport& report() const noexcept { return *report_; }

 private:
  std::shared_ptr<const LoadReport> report_;  // exceptions are copied
};

// Loads into the objects that `state` names. The file may hold more: other modules and optimizers
// stay where they are. A file without recorded modules (a converted .safetensors) loads into the
// sole module of a state. Throws Error (open's, checksum mismatch, an optimizer of another class)
// and MismatchError. With the defaults, only an I/O or device error can leave the objects changed
// in part.
//
// Bytes reach other devices on streams of Ingot's own, which begin after all that the current
// streams of these devices had been given when load() was called. When it returns all bytes have
// arrived: any stream may use them.
LoadReport load(const std::string& path, const TrainingState& state,
                const LoadOptions& options = {});

// The same from a file that is open already.
LoadReport load(const Checkpoint& checkpoint, const TrainingState& state,
                const LoadOptions& options = {});

// The same from what newest() found. All of its bytes are proven already (VerifyLevel::kFull), so
// that Proof::kBefore reads them once more instead of twice, as kDuring does: only a file that is
// damaged between the two calls can then leave a mixture.
LoadReport load(const NewestCheckpoint& newest, const TrainingState& state,
                const LoadOptions& options = {});

LoadReport load(const std::string& path, torch::nn::Module& module,
                const LoadOptions& options = {});
template <typename Contained>
LoadReport load(const std::string& path, const torch::nn::ModuleHolder<Contained>& module,
                const LoadOptions& options = {}) {
  return load(path, *module.ptr(), options);
}

struct TensorsOptions {
  std::string prefix = {};                  // only names that begin so; it stays in the names
  std::optional<Role> role = std::nullopt;  // only these
  // kInPlace: memory of their own. kAssign: copy-on-write views of the file, which they keep
  // mapped. kSlab: views of one piece of memory.
  Placement placement = Placement::kInPlace;
  Proof proof = Proof::kDuring;
  torch::Device device = torch::kCPU;
  int threads = 0;
  OpenOptions open = {};
  DeviceProvider devices = default_device;  // these two as in LoadOptions
  std::uint64_t staging_bytes = std::uint64_t{256} << 20;
};

// Tensors by name, in registration order. Tied tensors share memory, strides are kept.
TensorDict load_tensors(const std::string& path, const TensorsOptions& options = {});

// A blob that attach() put in, proven: text as it was given. Throws Error, with kNotFound when
// there is none of that name.
std::string load_attachment(const std::string& path, const std::string& name,
                            const OpenOptions& options = {});

// ---- Pieces, for programs that use the core directly -------------------------------------------

// nullopt where LibTorch has no such type.
std::optional<torch::ScalarType> to_scalar_type(DType dtype);
std::optional<DType> to_dtype(torch::ScalarType type);

// The newest checkpoint of a folder of "step-N.ingot" that verifies, open, and in `skipped` the
// newer ones that do not, with the reason: CheckpointDirectory::newest() (ingot/directory.h), whose
// errors it throws: kNotFound when there is no checkpoint, kCorrupt when there are some and none
// verifies.
NewestCheckpoint newest(const std::string& folder, const NewestOptions& options = {});

}  // namespace ingot::libtorch
