#include "libtorch/draft.h"

#include <ATen/quantized/Quantizer.h>

#include <algorithm>
#include <unordered_map>

#include "libtorch/error.h"
#include "libtorch/layout.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

[[noreturn]] void unsupported(const std::string& name, const std::string& what) {
  throw Error(
      Status(Code::kUnsupported, name + ": " + what, {.region = Region::kNone, .tensor = name}));
}

// LibTorch counts several elements of these as one byte each, but keeps them in fewer: only a whole
// tensor can be told from its bytes.
void check_packed_rows(const std::string& name, const Tensor& tensor, DType dtype) {
  if (has_ragged_rows(tensor.sizes(), dtype)) {
    unsupported(name, "rows that do not fill whole bytes: " + std::string(dtype_name(dtype)));
  }
  if (tensor.storage_offset() != 0 || !tensor.is_contiguous()) {
    unsupported(name, "a view of a packed quantised tensor: " + std::string(dtype_name(dtype)));
  }
}

void check_storable(const std::string& name, const Tensor& tensor) {
  if (!tensor.defined()) unsupported(name, "an undefined tensor");
  if (tensor.layout() != torch::kStrided || tensor.is_nested()) {
    unsupported(name, "only dense tensors can be stored; convert it with to_dense()");
  }
  if (tensor.is_meta()) unsupported(name, "a meta tensor has no data");
  const auto dtype = to_dtype(tensor.scalar_type());
  if (!dtype) {
    unsupported(name, std::string("no such element type: ") + toString(tensor.scalar_type()));
  }
  if (is_quantized(*dtype) && is_packed(*dtype)) check_packed_rows(name, tensor, *dtype);
}

// Row-major bytes of a tensor in a new or its own memory.
Tensor row_major_bytes(const Tensor& tensor, std::uint64_t bytes) {
  const torch::NoGradGuard no_grad;
  const Tensor contiguous =
      tensor.is_quantized() ? tensor.contiguous() : as_integers(tensor).contiguous();
  const auto begin =
      static_cast<std::uint64_t>(contiguous.storage_offset()) * element_bytes(contiguous);
  return bytes_of_storage(contiguous, {begin, begin + bytes});
}

// LibTorch keeps an int4 in a byte, the format two.
Tensor pack_nibbles(const Tensor& tensor) {
  const Tensor bytes = row_major_bytes(tensor, static_cast<std::uint64_t>(tensor.numel())).cpu();
  Tensor packed = torch::empty({bytes.numel() / 2}, torch::kByte);
  const auto* from = bytes.data_ptr<std::uint8_t>();
  auto* to = packed.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < packed.numel(); ++i) {
    to[i] = static_cast<std::uint8_t>((from[2 * i] & 0xF) | (from[2 * i + 1] << 4));
  }
  return packed;
}

// Of one copy that LibTorch makes: one to host memory from a tensor with gaps on another device
// takes as much again on either side.
constexpr std::size_t kCopyBytes = std::size_t{4} << 20;

void copy_in_parts(const Tensor& to, const Tensor& from) {
  if (from.nbytes() <= kCopyBytes) {
    to.copy_(from);
    return;
  }
  const auto longest = std::max_element(from.sizes().begin(), from.sizes().end());
  const std::int64_t dim = longest - from.sizes().begin();
  const std::int64_t half = *longest / 2;
  copy_in_parts(to.narrow(dim, 0, half), from.narrow(dim, 0, half));
  copy_in_parts(to.narrow(dim, half, *longest - half), from.narrow(dim, half, *longest - half));
}

// Every element once that expand() has repeated.
Tensor without_repeats(Tensor tensor) {
  for (std::int64_t dim = 0; dim < tensor.dim(); ++dim) {
    if (tensor.stride(dim) == 0) tensor = tensor.narrow(dim, 0, 1);
  }
  return tensor;
}

bool keeps_its_bytes(const Tensor& tensor, DType dtype) {
  return !is_packed(dtype) && !tensor.is_quantized();
}

}  // namespace

void Draft::add(std::string name, const Tensor& tensor, Role role) {
  check_storable(name, tensor);
  const torch::NoGradGuard no_grad;
  // Conjugate and negative views are another meaning of the same bytes, which only LibTorch knows.
  Tensor plain = tensor.resolve_conj().resolve_neg();
  entries_.push_back({std::move(name), std::move(plain), role, tensor.requires_grad()});
}

// Tensors that overlap in memory share a storage in the file; all others have their own.
class Planner {
 public:
  explicit Planner(Draft&& draft) : draft_(std::move(draft)) {}

  Planned run() {
    out_.plan.reserve(draft_.entries_.size());
    find_shared();
    for (std::size_t i = 0; i < draft_.entries_.size(); ++i) add(i);
    for (const Parts::Attachment& attachment : draft_.attachments_) {
      out_.blobs.push_back(
          {out_.plan.attach(attachment.name, attachment.media_type, attachment.content->size()),
           attachment.content});
    }
    if (!draft_.root_.keys().empty()) out_.plan.set_state(std::move(draft_.root_));
    return std::move(out_);
  }

 private:
  using Entry = Draft::Entry;
  // Tensors whose extents hang together.
  struct Shared {
    std::vector<std::size_t> entries;
    Extent extent;
    std::optional<StorageId> storage;  // once the first of them was added
  };

  static DType dtype_of(const Entry& entry) { return *to_dtype(entry.tensor.scalar_type()); }

  void find_shared() {
    std::unordered_map<const void*, std::vector<std::size_t>> by_storage;
    std::vector<const void*> order;
    for (std::size_t i = 0; i < draft_.entries_.size(); ++i) {
      const Entry& entry = draft_.entries_[i];
      if (entry.tensor.numel() == 0 || !keeps_its_bytes(entry.tensor, dtype_of(entry))) continue;
      const void* storage = entry.tensor.storage().unsafeGetStorageImpl();
      std::vector<std::size_t>& users = by_storage[storage];
      if (users.empty()) order.push_back(storage);
      users.push_back(i);
    }
    shared_of_.assign(draft_.entries_.size(), kAlone);
    for (const void* storage : order) split(by_storage[storage]);
  }

  // Goes through the users of one storage from low to high and cuts where nothing overlaps.
  void split(std::vector<std::size_t>& users) {
    if (users.size() < 2) return;
    std::stable_sort(users.begin(), users.end(), [&](std::size_t a, std::size_t b) {
      return extent(a).begin < extent(b).begin;
    });
    Shared run;
    for (const std::size_t user : users) {
      const Extent next = extent(user);
      if (!run.entries.empty() && next.begin >= run.extent.end) close(run);
      if (run.entries.empty()) run.extent = next;
      run.extent.end = std::max(run.extent.end, next.end);
      run.entries.push_back(user);
    }
    close(run);
  }

  void close(Shared& run) {
    if (run.entries.size() > 1) {
      // Offsets within a storage are multiples of the element's size.
      std::uint64_t element = 1;
      for (const std::size_t i : run.entries) {
        element = std::max(element, element_bytes(draft_.entries_[i].tensor));
      }
      run.extent.begin -= run.extent.begin % element;
      for (const std::size_t i : run.entries) shared_of_[i] = shared_.size();
      shared_.push_back(run);
    }
    run = {};
  }

  Extent extent(std::size_t i) const { return extent_of(draft_.entries_[i].tensor); }

  void add(std::size_t i) {
    const Entry& entry = draft_.entries_[i];
    TensorSpec spec{.name = entry.name,
                    .dtype = dtype_of(entry),
                    .shape = shape_in_file(entry.tensor, dtype_of(entry)),
                    .role = entry.role,
                    .requires_grad = entry.requires_grad};
    if (shared_of_[i] != kAlone) return add_shared(shared_[shared_of_[i]], entry, std::move(spec));
    const Tensor& tensor = entry.tensor;
    if (!keeps_its_bytes(tensor, spec.dtype)) return add_converted(tensor, std::move(spec));
    // Channels-last and the like: no gaps, so the memory can be stored as it is.
    const bool as_it_lies = tensor.numel() > 0 && tensor.is_non_overlapping_and_dense();
    if (as_it_lies && !tensor.is_contiguous()) spec.strides = tensor.strides().vec();
    const DType dtype = spec.dtype;
    const StorageId storage = out_.plan.storage_of(out_.plan.add(std::move(spec)));
    out_.pieces.push_back({storage, bytes_alone(tensor, dtype, as_it_lies),
                           /*makes_copy=*/!as_it_lies && !tensor.is_contiguous()});
  }

  // Quantised and packed tensors are shared whole or not at all.
  struct Converted {
    Tensor tensor;
    StorageId storage;
    std::optional<QuantizationSpec> quantization;
  };

  void add_converted(const Tensor& tensor, TensorSpec spec) {
    std::vector<Converted>& known = converted_[tensor.storage().unsafeGetStorageImpl()];
    for (const Converted& other : known) {
      if (!is_same(other.tensor, tensor)) continue;
      spec.storage = other.storage;
      spec.quantization = other.quantization;
      out_.plan.add(std::move(spec));
      return;
    }
    if (tensor.is_quantized()) spec.quantization = quantization(tensor);
    const DType dtype = spec.dtype;
    const auto quantized = spec.quantization;
    const StorageId storage = out_.plan.storage_of(out_.plan.add(std::move(spec)));
    out_.pieces.push_back({storage, bytes_alone(tensor, dtype, /*as_it_lies=*/false),
                           /*makes_copy=*/!tensor.is_contiguous()});
    known.push_back({tensor, storage, quantized});
  }

  static bool is_same(const Tensor& a, const Tensor& b) {
    return a.scalar_type() == b.scalar_type() && a.storage_offset() == b.storage_offset() &&
           a.sizes() == b.sizes() && a.strides() == b.strides() &&
           (!a.is_quantized() || a.quantizer()->equalTo(b.quantizer()));
  }

  static std::function<Tensor()> bytes_alone(const Tensor& tensor, DType dtype, bool as_it_lies) {
    if (as_it_lies) {
      return [tensor] { return bytes_of_storage(tensor, extent_of(tensor)); };
    }
    const std::uint64_t bytes = packed_bytes(tensor, dtype);
    if (dtype == DType::kInt4 || dtype == DType::kUInt4) {
      return [tensor] { return pack_nibbles(tensor); };
    }
    return [tensor, bytes] { return row_major_bytes(tensor, bytes); };
  }

  void add_shared(Shared& shared, const Entry& entry, TensorSpec spec) {
    if (!shared.storage) {
      shared.storage = out_.plan.add_storage(shared.extent.bytes());
      out_.pieces.push_back({*shared.storage, bytes_shared(shared)});
    }
    spec.storage = shared.storage;
    spec.byte_offset = extent_of(entry.tensor).begin - shared.extent.begin;
    if (!entry.tensor.is_contiguous()) spec.strides = entry.tensor.strides().vec();
    out_.plan.add(std::move(spec));
  }

  std::function<Tensor()> bytes_shared(const Shared& shared) const {
    std::vector<Tensor> tensors;
    bool covered = false;
    for (const std::size_t i : shared.entries) {
      const Tensor& tensor = draft_.entries_[i].tensor;
      covered |= tensor.is_non_overlapping_and_dense() &&
                 extent_of(tensor).bytes() == shared.extent.bytes();
      tensors.push_back(tensor);
    }
    const Extent extent = shared.extent;
    if (covered) {
      return [tensor = tensors.front(), extent] { return bytes_of_storage(tensor, extent); };
    }
    return [tensors, extent] { return gather(tensors, extent); };
  }

  // Bytes that no tensor reaches are zeros: what lies there is chance, and would make equal states
  // unequal files.
  static Tensor gather(const std::vector<Tensor>& tensors, Extent extent) {
    const torch::NoGradGuard no_grad;
    Tensor gathered = torch::zeros({static_cast<std::int64_t>(extent.bytes())}, torch::kByte);
    for (const Tensor& tensor : tensors) {
      const Tensor from = without_repeats(as_integers(tensor));
      const std::uint64_t offset = extent_of(tensor).begin - extent.begin;
      Tensor to = torch::empty({0}, from.scalar_type());
      to.set_(gathered.storage(), static_cast<std::int64_t>(offset / element_bytes(tensor)),
              from.sizes(), from.strides());
      copy_in_parts(to, from);
    }
    return gathered;
  }

  QuantizationSpec quantization(const Tensor& tensor) {
    QuantizationSpec spec;
    if (tensor.qscheme() == torch::kPerTensorAffine) {
      spec.scale = tensor.q_scale();
      spec.zero_point = tensor.q_zero_point();
      return spec;
    }
    const bool floating = tensor.qscheme() == torch::kPerChannelAffineFloatQParams;
    if (!floating && tensor.qscheme() != torch::kPerChannelAffine) {
      raise(Code::kUnsupported, "a quantization scheme that LibTorch itself cannot make");
    }
    spec.scheme = floating ? QuantizationScheme::kPerChannelAffineFloatQParams
                           : QuantizationScheme::kPerChannelAffine;
    spec.axis = static_cast<std::int32_t>(tensor.q_per_channel_axis());
    spec.scales =
        add_parameters(tensor.q_per_channel_scales().to(floating ? torch::kFloat : torch::kDouble));
    spec.zero_points = add_parameters(
        tensor.q_per_channel_zero_points().to(floating ? torch::kFloat : torch::kLong));
    return spec;
  }

  StorageId add_parameters(const Tensor& values) {
    const auto bytes = static_cast<std::uint64_t>(values.numel()) * element_bytes(values);
    const StorageId storage = out_.plan.add_storage(bytes);
    out_.pieces.push_back({storage, [values, bytes] { return row_major_bytes(values, bytes); }});
    return storage;
  }

  static constexpr std::size_t kAlone = ~std::size_t{0};
  Draft draft_;
  std::vector<Shared> shared_;
  std::vector<std::size_t> shared_of_;  // by entry
  std::unordered_map<const void*, std::vector<Converted>> converted_;
  Planned out_;
};

Planned Draft::plan() && { return Planner(std::move(*this)).run(); }

}  // namespace ingot::libtorch
