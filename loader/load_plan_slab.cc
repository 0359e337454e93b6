// LoadPlan: one slab, laid out like the file.
#include <algorithm>
#include <string>
#include <vector>

#include "base/checked.h"
#include "base/error.h"
#include "format/constants.h"
#include "loader/checkpoint_state.h"
#include "loader/load_plan_rep.h"

namespace ingot {
namespace {

// Which storages a slab holds: a bit each.
class StorageSet {
 public:
  explicit StorageSet(const Checkpoint& checkpoint) : wanted_(checkpoint.storage_count()) {}

  void add(const TensorInfo& tensor) {
    wanted_[tensor.storage] = true;
    if (!tensor.quantization ||
        tensor.quantization->scheme == QuantizationScheme::kPerTensorAffine) {
      return;
    }
    wanted_[tensor.quantization->scales_storage] = true;
    wanted_[tensor.quantization->zero_points_storage] = true;
  }
  void add(std::uint32_t storage) { wanted_[storage] = true; }
  bool has(std::uint32_t storage) const { return wanted_[storage]; }

 private:
  std::vector<bool> wanted_;
};

// Places a run where it has the same distance from a page's begin as in the file, so that whole
// pages can be read straight into it.
void place(LoadPlan::Rep& rep, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t in_page = begin % format::kPageBytes;
  std::uint64_t at = align_down(rep.slab_bytes, format::kPageBytes) + in_page;
  if (at < rep.slab_bytes) at += format::kPageBytes;
  rep.slab.push_back({begin, end, at});
  rep.slab_bytes = at + (end - begin);
}

void fill(LoadPlan::Rep& rep, const StorageSet& wanted) {
  const Checkpoint& checkpoint = rep.checkpoint;
  rep.is_slab = true;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool open = false;
  for (std::uint32_t i = 0; i < checkpoint.storage_count(); ++i) {
    const StorageInfo storage = checkpoint.storage(i);
    if (!wanted.has(i)) {
      // Storages without bytes part nothing.
      if (open && storage.bytes > 0) place(rep, begin, end);
      open = open && storage.bytes == 0;
      continue;
    }
    if (!open) begin = storage.offset;
    open = true;
    end = storage.offset + storage.bytes;
  }
  if (open) place(rep, begin, end);
  for (const LoadPlan::Rep::SlabRun& run : rep.slab) {
    if (run.file_begin == run.file_end) continue;
    loader::Piece piece;
    piece.source = run.file_begin;
    piece.destination = run.slab_begin;
    piece.width = run.file_end - run.file_begin;
    rep.pieces.push_back(piece);
    rep.bytes += piece.width;
  }
}

}  // namespace

LoadPlan LoadPlan::for_roles(const Checkpoint& checkpoint, std::span<const Role> roles) {
  StorageSet wanted(checkpoint);
  for (const Role role : roles) {
    checkpoint.for_each({.role = role}, [&](const TensorInfo& tensor) { wanted.add(tensor); });
  }
  LoadPlan plan(checkpoint);
  fill(*plan.rep_, wanted);
  return plan;
}

LoadPlan LoadPlan::for_roles(const Checkpoint& checkpoint, std::initializer_list<Role> roles) {
  return for_roles(checkpoint, std::span(roles.begin(), roles.size()));
}

LoadPlan LoadPlan::for_tensors(const Checkpoint& checkpoint, const TensorFilter& filter) {
  StorageSet wanted(checkpoint);
  checkpoint.for_each(filter, [&](const TensorInfo& tensor) { wanted.add(tensor); });
  LoadPlan plan(checkpoint);
  fill(*plan.rep_, wanted);
  return plan;
}

Result<LoadPlan> LoadPlan::for_storages(const Checkpoint& checkpoint,
                                        std::span<const std::uint32_t> storages) {
  StorageSet wanted(checkpoint);
  for (const std::uint32_t storage : storages) {
    if (storage >= checkpoint.storage_count()) {
      return make_error(Code::kInvalidArgument, "the file has no such storage")
          .file(checkpoint.file().path)
          .expected("below " + std::to_string(checkpoint.storage_count()))
          .found(storage);
    }
    wanted.add(storage);
  }
  LoadPlan plan(checkpoint);
  fill(*plan.rep_, wanted);
  return plan;
}

bool LoadPlan::is_slab() const { return rep_->is_slab; }
std::uint64_t LoadPlan::slab_bytes() const { return rep_->slab_bytes; }

std::optional<std::uint64_t> LoadPlan::slab_offset(std::uint32_t storage) const {
  if (storage >= rep_->checkpoint.storage_count()) return std::nullopt;
  const StorageInfo info = rep_->checkpoint.storage(storage);
  auto run = std::upper_bound(
      rep_->slab.begin(), rep_->slab.end(), info.offset,
      [](std::uint64_t offset, const Rep::SlabRun& entry) { return offset < entry.file_begin; });
  if (run == rep_->slab.begin()) return std::nullopt;
  --run;
  if (info.offset + info.bytes > run->file_end) return std::nullopt;
  return run->slab_begin + (info.offset - run->file_begin);
}

std::optional<std::uint64_t> LoadPlan::slab_offset(const TensorInfo& tensor) const {
  const std::optional<std::uint64_t> begin = slab_offset(tensor.storage);
  if (!begin) return std::nullopt;
  return *begin + tensor.byte_offset;
}

}  // namespace ingot
