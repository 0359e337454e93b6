#include "libtorch/match_tensors.h"

#include <ATen/MemoryOverlap.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "libtorch/error.h"
#include "libtorch/layout.h"

namespace ingot::libtorch {
namespace {

class TensorMatcher {
 public:
  TensorMatcher(const StoredTensors& stored, const Parts& parts, const LoadOptions& options,
                LoadReport& report)
      : stored_(stored), parts_(parts), options_(options), report_(report) {}

  std::vector<TensorMatch> run(const std::vector<LiveTensor>& live) {
    for (const LiveTensor& tensor : live) {
      if (!tensor.naming_only) match(tensor);
    }
    note_unexpected();
    note_absent_modules(live);
    return std::move(matches_);
  }

 private:
  bool filtered(const std::string& name) const { return options_.filter && !options_.filter(name); }

  void match(const LiveTensor& live) {
    wanted_.insert(live.name);
    if (filtered(live.name)) {
      report_.filtered.push_back(live.name);
      return;
    }
    const TensorInfo* info = stored_.find(live.name);
    if (info == nullptr) {
      report_.missing.push_back(live.name);
    } else if (agrees(live, *info)) {
      report_.loaded.push_back(live.name);
      matches_.push_back({*info, live});
    }
  }

  bool agrees(const LiveTensor& live, const TensorInfo& info) {
    if (!live.tensor.defined()) return true;  // a tensor of the state that is to be made
    check_fillable(live);
    note_tie(live, info);
    const auto shape = shape_in_file(live.tensor, info.dtype);
    if (!std::equal(shape.begin(), shape.end(), info.shape.begin(), info.shape.end())) {
      report_.shapes.push_back({live.name, shape_text(shape), shape_text(info.shape)});
      return false;
    }
    if (to_scalar_type(info.dtype) != live.tensor.scalar_type()) {
      report_.dtypes.push_back(
          {live.name, dtype_text(live.tensor.scalar_type()), std::string(dtype_name(info.dtype))});
      return false;
    }
    return true;
  }

  // What no load could fill must be known before anything changes.
  static void check_fillable(const LiveTensor& live) {
    const char* why = nullptr;
    if (live.tensor.is_meta()) why = "a meta tensor has no memory to load into";
    if (live.tensor.layout() != torch::kStrided) why = "only dense tensors can be loaded";
    if (why == nullptr && at::has_internal_overlap(live.tensor) == at::MemOverlap::Yes) {
      why = "several of its elements are one in memory (expand): it cannot be filled";
    }
    if (why == nullptr) return;
    throw Error(Status(Code::kUnsupported, live.name + ": " + why,
                       {.region = Region::kNone, .tensor = live.name}));
  }

  // One tensor here under two names must not be two different ones in the file.
  void note_tie(const LiveTensor& live, const TensorInfo& info) {
    const auto [first, is_first] =
        by_identity_.emplace(live.tensor.unsafeGetTensorImpl(), std::pair(live.name, info));
    if (is_first) return;
    const TensorInfo& other = first->second.second;
    const bool same = (other.storage == info.storage && other.byte_offset == info.byte_offset) ||
                      stored_.same_bytes(other, info);
    if (!same) {
      report_.ties.push_back({live.name, "tied to " + first->second.first, "another tensor"});
    }
  }

  // Module tensors of the file under the name of a module of this state.
  void note_unexpected() {
    for (const StoredTensors::Item& item : stored_.items()) {
      if (item.info.role == Role::kOther || wanted_.contains(item.name)) continue;
      if (!under_a_module(item.name)) continue;
      (filtered(item.name) ? report_.filtered : report_.unexpected).push_back(item.name);
    }
  }

  bool under_a_module(const std::string& name) const {
    return std::any_of(parts_.modules.begin(), parts_.modules.end(), [&](const auto& module) {
      return !module.naming_only && name.starts_with(module.prefix());
    });
  }

  void note_absent_modules(const std::vector<LiveTensor>& live) {
    for (const Parts::Module& module : parts_.modules) {
      const auto is_there = [&](const LiveTensor& tensor) {
        return tensor.module == &module && stored_.find(tensor.name) != nullptr;
      };
      if (!module.naming_only && std::none_of(live.begin(), live.end(), is_there)) {
        report_.absent.push_back("module " + module.name);
      }
    }
  }

  const StoredTensors& stored_;
  const Parts& parts_;
  const LoadOptions& options_;
  LoadReport& report_;
  std::unordered_set<std::string> wanted_;
  std::unordered_map<const void*, std::pair<std::string, TensorInfo>> by_identity_;
  std::vector<TensorMatch> matches_;
};

}  // namespace

std::vector<TensorMatch> match_tensors(const StoredTensors& stored,
                                       const std::vector<LiveTensor>& live, const Parts& parts,
                                       const LoadOptions& options, LoadReport* report) {
  return TensorMatcher(stored, parts, options, *report).run(live);
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + "]";
}

}  // namespace ingot::libtorch
