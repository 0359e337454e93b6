#include "tools/diff/diff.h"

#include <algorithm>
#include <numeric>

#include "tools/convert/state_keys.h"
#include "tools/diff/compare_bytes.h"

namespace ingot::tools {
namespace {

std::vector<std::uint32_t> by_name(const DiffSource& source) {
  std::vector<std::uint32_t> order(source.tensor_count());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t x, std::uint32_t y) {
    return source.facts(x).name < source.facts(y).name;
  });
  return order;
}

// Calls on_a(i), on_b(j) or on_both(i, j) for every name, ascending.
template <typename NameA, typename NameB, typename OnA, typename OnB, typename OnBoth>
Status merge(std::size_t count_a, NameA name_a, std::size_t count_b, NameB name_b, OnA on_a,
             OnB on_b, OnBoth on_both) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < count_a || j < count_b) {
    const int order = i == count_a ? 1 : j == count_b ? -1 : name_a(i).compare(name_b(j));
    if (order < 0) {
      on_a(i++);
    } else if (order > 0) {
      on_b(j++);
    } else {
      INGOT_RETURN_IF_ERROR(on_both(i++, j++));
    }
  }
  return {};
}

class Differ {
 public:
  Differ(const DiffSource& a, const DiffSource& b, const DiffOptions& options)
      : a_(a), b_(b), options_(options), comparer_(options.cancel) {}

  Result<DiffReport> run() {
    INGOT_RETURN_IF_ERROR(compare_tensors());
    if (complete()) INGOT_RETURN_IF_ERROR(compare_attachments());
    compare_state();
    INGOT_RETURN_IF_ERROR(a_.check_unchanged());
    INGOT_RETURN_IF_ERROR(b_.check_unchanged());
    report_.bytes_read = comparer_.bytes_read();
    return std::move(report_);
  }

 private:
  bool complete() const { return a_.is_complete() && b_.is_complete(); }
  Detail detail() const {
    return options_.depth == DiffDepth::kValues ? Detail::kValues : Detail::kDiffers;
  }

  Status compare_tensors() {
    const std::vector<std::uint32_t> order_a = by_name(a_);
    const std::vector<std::uint32_t> order_b = by_name(b_);
    for (const std::uint32_t tensor : order_a) total_ += a_.facts(tensor).bytes;
    return merge(
        order_a.size(), [&](std::size_t i) { return a_.facts(order_a[i]).name; }, order_b.size(),
        [&](std::size_t j) { return b_.facts(order_b[j]).name; },
        [&](std::size_t i) {
          const TensorFacts facts = a_.facts(order_a[i]);
          add_one_sided(report_.tensors, facts, "removed", true);
          advance(facts.bytes);
        },
        [&](std::size_t j) {
          add_one_sided(report_.tensors, b_.facts(order_b[j]), "added", false);
        },
        [&](std::size_t i, std::size_t j) { return compare_pair(order_a[i], order_b[j]); });
  }

  static void add_one_sided(std::vector<TensorChange>& changes, const TensorFacts& facts,
                            std::string_view what, bool in_a) {
    TensorChange change;
    change.name = facts.name;
    change.changes.emplace_back(what);
    (in_a ? change.a : change.b) = facts;
    changes.push_back(std::move(change));
  }

  void advance(std::uint64_t bytes) {
    done_ += bytes;
    options_.progress(done_, total_);
  }

  Status compare_pair(std::uint32_t tensor_a, std::uint32_t tensor_b) {
    const TensorFacts a = a_.facts(tensor_a);
    const TensorFacts b = b_.facts(tensor_b);
    TensorChange change;
    change.name = a.name;
    change.a = a;
    change.b = b;
    const bool retyped = a.dtype != b.dtype;
    const bool reshaped =
        !std::equal(a.shape.begin(), a.shape.end(), b.shape.begin(), b.shape.end());
    if (retyped) change.changes.emplace_back("retyped");
    if (reshaped) change.changes.emplace_back("reshaped");
    INGOT_RETURN_IF_ERROR(compare_data(change, tensor_a, tensor_b));
    if (complete()) INGOT_RETURN_IF_ERROR(compare_attributes(change, tensor_a, tensor_b));
    ++report_.compared;
    if (change.changes.empty()) {
      ++report_.equal;
    } else {
      report_.tensors.push_back(std::move(change));
    }
    advance(a.bytes);
    return {};
  }

  // Values of retyped or reshaped tensors are compared element by element, in row-major order, when
  // there are as many; that is worth reading only when values are asked for.
  Status compare_data(TensorChange& change, std::uint32_t tensor_a, std::uint32_t tensor_b) {
    if (options_.depth == DiffDepth::kNames || change.a->numel() != change.b->numel()) return {};
    const bool retyped = change.a->dtype != change.b->dtype;
    if (!change.changes.empty() && detail() != Detail::kValues) return {};
    const std::unique_ptr<TensorBytes> bytes_a = a_.bytes(tensor_a);
    const std::unique_ptr<TensorBytes> bytes_b = b_.bytes(tensor_b);
    INGOT_ASSIGN_OR_RETURN(const BytesDiff found,
                           comparer_.compare(*change.a, *bytes_a, *change.b, *bytes_b, detail()));
    change.values = found.values;
    if (found.differs && !retyped) change.changes.emplace_back("changed");
    return {};
  }

  Status compare_attributes(TensorChange& change, std::uint32_t tensor_a, std::uint32_t tensor_b) {
    const TensorAttributes a = a_.attributes(tensor_a);
    const TensorAttributes b = b_.attributes(tensor_b);
    const auto note = [&](bool differs, std::string_view what) {
      if (differs) change.changes.emplace_back(what);
    };
    note(a.role != b.role, "role");
    note(a.requires_grad != b.requires_grad, "requires_grad");
    note(a.strides != b.strides, "layout");
    note(a.tied_with != b.tied_with, "tied");
    bool quantization = a.quantization != b.quantization;
    if (!quantization && options_.depth != DiffDepth::kNames) {
      const std::vector<Blob> blobs_a = a_.quantization_blobs(tensor_a);
      const std::vector<Blob> blobs_b = b_.quantization_blobs(tensor_b);
      for (std::size_t i = 0; i < blobs_a.size() && !quantization; ++i) {
        INGOT_ASSIGN_OR_RETURN(quantization, blobs_differ(blobs_a[i], blobs_b[i]));
      }
    }
    note(quantization, "quantization");
    return {};
  }

  Status compare_attachments() {
    return merge(
        a_.attachment_count(),
        [&](std::size_t i) { return a_.attachment(static_cast<std::uint32_t>(i)).name; },
        b_.attachment_count(),
        [&](std::size_t j) { return b_.attachment(static_cast<std::uint32_t>(j)).name; },
        [&](std::size_t i) {
          add_one_sided(report_.attachments, blob(a_.attachment(static_cast<std::uint32_t>(i))),
                        "removed", true);
        },
        [&](std::size_t j) {
          add_one_sided(report_.attachments, blob(b_.attachment(static_cast<std::uint32_t>(j))),
                        "added", false);
        },
        [&](std::size_t i, std::size_t j) {
          return compare_blobs(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j));
        });
  }

  static TensorFacts blob(const AttachmentFacts& attachment) {
    return {attachment.name, DType::kUInt8, {}, attachment.bytes};
  }

  Result<bool> blobs_differ(const Blob& a, const Blob& b) {
    if (a.size != b.size) return true;
    const auto extent = static_cast<std::int64_t>(a.size);
    const TensorFacts facts{a.name, DType::kUInt8, std::span(&extent, 1), a.size};
    INGOT_ASSIGN_OR_RETURN(const BytesDiff found,
                           comparer_.compare(facts, *a.bytes, facts, *b.bytes, Detail::kDiffers));
    return found.differs;
  }

  Status compare_blobs(std::uint32_t i, std::uint32_t j) {
    const AttachmentFacts a = a_.attachment(i);
    const AttachmentFacts b = b_.attachment(j);
    TensorChange change;
    change.name = a.name;
    change.a = blob(a);
    change.b = blob(b);
    if (a.media_type != b.media_type) change.changes.emplace_back("media_type");
    bool differs = a.bytes != b.bytes;
    if (!differs && options_.depth != DiffDepth::kNames) {
      INGOT_ASSIGN_OR_RETURN(differs, blobs_differ(a_.attachment_blob(i), b_.attachment_blob(j)));
    }
    if (differs) change.changes.emplace_back("changed");
    if (!change.changes.empty()) report_.attachments.push_back(std::move(change));
    return {};
  }

  // What .safetensors cannot hold is not missed in it.
  static std::optional<StateValue> metadata_only(const std::optional<StateValue>& state) {
    if (!state || state->kind() != StateKind::kDict) return std::nullopt;
    StateValue root = StateValue::dict();
    for (const std::string_view key : {kMetadataKey, kIndexMetadataKey}) {
      if (const StateValue* value = state->find(key)) root.set(key, *value);
    }
    if (root.items().empty()) return std::nullopt;
    return root;
  }

  void compare_state() {
    std::optional<StateValue> a = a_.state();
    std::optional<StateValue> b = b_.state();
    if (!complete()) {
      a = metadata_only(a);
      b = metadata_only(b);
    }
    report_.state = diff_state(a, b);
  }

  const DiffSource& a_;
  const DiffSource& b_;
  const DiffOptions& options_;
  BytesComparer comparer_;
  DiffReport report_;
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace

Result<DiffReport> diff(const DiffSource& a, const DiffSource& b, const DiffOptions& options) {
  return Differ(a, b, options).run();
}

}  // namespace ingot::tools
