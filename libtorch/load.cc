// load(): everything is matched first, which changes nothing; then proven; then read; and what
// cannot fail is done last.
#include <unordered_set>

#include "libtorch/devices.h"
#include "libtorch/error.h"
#include "libtorch/fill_tensors.h"
#include "libtorch/load_optimizer.h"
#include "libtorch/names.h"
#include "libtorch/proof.h"
#include "libtorch/rng.h"

namespace ingot::libtorch {
namespace {

class Load {
 public:
  Load(const Checkpoint& checkpoint, const Parts& parts, const LoadOptions& options)
      : checkpoint_(checkpoint),
        parts_(parts),
        options_(resolved(options)),
        live_(live_tensors(parts)),
        reader_(checkpoint,
                {options.proof, options.devices, options.staging_bytes, options.threads}) {
    report_.path = checkpoint.file().path;
  }

  LoadReport run() {
    match();
    if (options_.strict && !report_.exact()) throw MismatchError(std::move(report_));
    for (OptimizerLoad& optimizer : optimizers_) optimizer.prepare();
    for (const TensorMatch& match : tensors_) reader_.check_readable(match.info);
    check_moves(tensors_, options_);
    if (proves_before(options_.proof, options_.placement == Placement::kAssign)) prove();
    read();
    apply();
    settle_all();
    return std::move(report_);
  }

 private:
  static LoadOptions resolved(LoadOptions options) {
    if (options.device) options.device = with_index(*options.device);
    return options;
  }

  void match() {
    if (options_.device && options_.device->is_meta()) {
      raise(Code::kInvalidArgument, "the meta device has no memory to load into");
    }
    const StoredNames stored_names(checkpoint_, parts_, options_.renames);
    const StoredTensors stored(checkpoint_, stored_names);
    tensors_ = match_tensors(stored, live_, parts_, options_, &report_);
    match_optimizers(stored_names);
    match_values(parts_.schedulers, "schedulers", "scheduler");
    match_values(parts_.values, "values", "value");
    match_rng();
  }

  void match_optimizers(const StoredNames& stored_names) {
    std::vector<OptimizerMatch> matches = libtorch::match_optimizers(
        checkpoint_, parts_, Names(live_), stored_names, options_, &report_);
    for (std::size_t i = 0; i < matches.size(); ++i) {
      optimizers_.emplace_back(checkpoint_, reader_, std::move(matches[i]), &report_.optimizers[i]);
    }
  }

  void match_values(const std::vector<Parts::Value>& values, const char* key, const char* kind) {
    for (const Parts::Value& value : values) {
      const auto stored = find_part(checkpoint_, key, value.name);
      if (!stored) {
        report_.absent.push_back(std::string(kind) + " " + value.name);
        continue;
      }
      std::function<void()> apply = value.load(*stored);
      if (apply) {
        last_.push_back(std::move(apply));
      } else {
        report_.values.push_back({std::string(kind) + " " + value.name, "what this program has",
                                  std::string(state_kind_name(stored->kind()))});
      }
    }
  }

  void match_rng() {
    if (!parts_.rng) return;
    const auto root = checkpoint_.state();
    const auto rng = root && root->kind() == StateKind::kDict ? root->find("rng") : std::nullopt;
    if (rng) {
      rng_ = find_rng(checkpoint_, *rng);
    } else {
      report_.absent.emplace_back("rng");
    }
  }

  void prove() {
    std::vector<std::string> names;
    const auto add = [&](const TensorInfo& info) { names.emplace_back(info.name); };
    for (const TensorMatch& match : tensors_) add(match.info);
    for (const OptimizerLoad& optimizer : optimizers_) optimizer.for_each_stored(add);
    for (const RngState& state : rng_) add(state.state);
    prove_tensors(checkpoint_, std::move(names), options_.threads);
  }

  // Generators first: one that does not take its state ends the load before anything has changed.
  void read() {
    for (const RngState& state : rng_) {
      last_.push_back(setting(state.generator, reader_.read_now(state.state)));
    }
    report_.bytes += fill_tensors(reader_, tensors_, options_);
    for (OptimizerLoad& optimizer : optimizers_) report_.bytes += optimizer.read_states();
    reader_.finish();
  }

  void apply() {
    for (OptimizerLoad& optimizer : optimizers_) optimizer.apply();
    for (const std::function<void()>& action : last_) action();
  }

  // What LibTorch was asked to convert, move or fill may still be on its way.
  void settle_all() const {
    std::unordered_set<torch::Device> devices;
    for (const LiveTensor& live : live_) {
      const torch::Tensor& tensor = live.slot != nullptr ? *live.slot : live.tensor;
      if (tensor.defined()) devices.insert(tensor.device());
    }
    settle(devices);
  }

  const Checkpoint& checkpoint_;
  const Parts& parts_;
  const LoadOptions options_;
  const std::vector<LiveTensor> live_;
  TensorReader reader_;
  LoadReport report_;
  std::vector<TensorMatch> tensors_;
  std::vector<OptimizerLoad> optimizers_;
  std::vector<RngState> rng_;
  std::vector<std::function<void()>> last_;
};

}  // namespace

LoadReport load(const Checkpoint& checkpoint, const TrainingState& state,
                const LoadOptions& options) {
  return Load(checkpoint, state.parts(), options).run();
}

LoadReport load(const std::string& path, const TrainingState& state, const LoadOptions& options) {
  return load(take(Checkpoint::open(path, options.open)), state, options);
}

LoadReport load(const std::string& path, torch::nn::Module& module, const LoadOptions& options) {
  return load(path, TrainingState().module("", module), options);
}

}  // namespace ingot::libtorch
