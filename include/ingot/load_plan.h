// LoadPlan: what to load, and where to.
//
//   const auto load = ingot::LoadPlan::for_roles(checkpoint, {ingot::Role::kParameter});
//   INGOT_ASSIGN_OR_RETURN(auto memory, device.allocate(load.slab_bytes()));
//   INGOT_ASSIGN_OR_RETURN(auto report, ingot::stream(load, device, memory->span()));
//
// Two ways to say where to. A *slab* is one range of memory, laid out like the file (so that many
// small tensors are a few large copies), with tensors as views of it. Or each tensor, or slice of
// one, has a destination of its own: memory that exists already.
//
// A plan is arithmetic on the index: it reads no data, and the same plan may be used many times.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/device.h"
#include "ingot/status.h"
#include "ingot/tensor.h"

namespace ingot {

// Memory of the caller, which must stay valid until stream() has returned.
struct Destination {
  Device* device = nullptr;  // null: host_device(). Must outlive the stream() call
  DeviceSpan memory;         // begins with element [0, …, 0] of what is loaded
  // In elements, at least 0, none 0 where there is more than one element. Empty: as the tensor is
  // stored (TensorInfo::strides; of a slice: packed, row-major).
  std::vector<std::int64_t> strides = {};
};

// Immutable but for add(). Holds a handle of its checkpoint. Distinct plans may be used by several
// threads at once, and one by several that only read it.
class LoadPlan {
 public:
  // One slab for all tensors of these roles, with the storages that their quantisation needs.
  static LoadPlan for_roles(const Checkpoint& checkpoint, std::span<const Role> roles);
  static LoadPlan for_roles(const Checkpoint& checkpoint, std::initializer_list<Role> roles);
  // One slab for the tensors that a filter admits.
  static LoadPlan for_tensors(const Checkpoint& checkpoint, const TensorFilter& filter);
  // One slab for these storages (TensorInfo::storage), in any order. kInvalidArgument for a number
  // that is none of this file's.
  static Result<LoadPlan> for_storages(const Checkpoint& checkpoint,
                                       std::span<const std::uint32_t> storages);

  // Without anything; for add().
  explicit LoadPlan(const Checkpoint& checkpoint);
  LoadPlan(LoadPlan&&) noexcept;
  LoadPlan& operator=(LoadPlan&&) noexcept;
  ~LoadPlan();

  // Each adds something with a destination of its own. REQUIRES: this is not a slab's plan.
  // kInvalidArgument when the destination has not the size that it takes (exactly, where no strides
  // are given), or the tensor's bytes are none of this checkpoint's; kResourceExhausted when the
  // plan has come to too many runs of bytes. After an error the plan is as it was. Destinations
  // must not overlap.
  Status add(const TensorInfo& tensor, const Destination& destination);
  Status add(const TensorInfo& tensor, const Slice& slice, const Destination& destination);
  // A range of a storage, as it is. `owner` names it in errors.
  Status add_storage(std::uint32_t storage, std::uint64_t offset, const Destination& destination,
                     std::string_view owner = {});

  const Checkpoint& checkpoint() const;
  // Bytes that will arrive; a slab's padding is counted.
  std::uint64_t bytes() const;

  bool is_slab() const;
  // Of a slab's plan. The slab's address must be a multiple of kSlabAlignment, which is what
  // cudaMalloc gives.
  static constexpr std::uint64_t kSlabAlignment = 256;
  // Bytes of the slab between storages that do not follow each other in the file are not written.
  std::uint64_t slab_bytes() const;
  // Where a storage begins, and where element [0, …, 0] of a tensor lies, from the slab's begin;
  // nullopt for what the plan does not load. Tied tensors lie in one place.
  std::optional<std::uint64_t> slab_offset(std::uint32_t storage) const;
  std::optional<std::uint64_t> slab_offset(const TensorInfo& tensor) const;

  // For the library's other rooms.
  struct Rep;
  const Rep& internal() const { return *rep_; }

 private:
  std::unique_ptr<Rep> rep_;
};

}  // namespace ingot
