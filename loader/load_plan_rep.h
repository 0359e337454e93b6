// What a LoadPlan is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "ingot/load_plan.h"

#include "loader/load_pieces.h"

namespace ingot {

struct LoadPlan::Rep {
  // Consecutive storages of the file, with the zeros between them.
  struct SlabRun {
    std::uint64_t file_begin = 0;
    std::uint64_t file_end = 0;
    std::uint64_t slab_begin = 0;
  };

  explicit Rep(const Checkpoint& opened) : checkpoint(opened) {}

  Checkpoint checkpoint;
  std::vector<loader::Piece> pieces;  // of a slab: one a run, and a destination from its begin
  std::vector<Device*> devices;       // of a slab: none
  std::vector<SlabRun> slab;          // in file order
  bool is_slab = false;
  std::uint64_t slab_bytes = 0;
  std::uint64_t bytes = 0;

  // What add() goes back to when it fails.
  struct Mark {
    std::size_t pieces;
    std::size_t devices;
  };
  Mark mark() const { return {pieces.size(), devices.size()}; }
  void roll_back(const Mark& to) {
    pieces.resize(to.pieces);
    devices.resize(to.devices);
  }

  std::uint32_t device_number(Device* device);
  // Never empty.
  std::vector<Device*> destination_devices() const {
    return devices.empty() ? std::vector<Device*>{&host_device()} : devices;
  }
  Status check_takes_destinations(std::string_view owner) const;
};

}  // namespace ingot
