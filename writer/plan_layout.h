// From a plan to places: which storage lies where, in canonical order. Pure arithmetic.
//
// Storages lie in sections, by the role of the first tensor (in registration order) that refers to
// them; within a section in the order in which tensors first refer to them (a tensor's data, then
// its scales, then its zero points). Attachments come last, in order of their names.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ingot/status.h"
#include "ingot/writer.h"

#include "format/index_model.h"
#include "format/layout.h"

namespace ingot::writer {

struct PlanLayout {
  std::vector<format::IndexStorage> storages;  // in file order
  std::vector<std::uint32_t> storage_number;   // by StorageId: position in storages
  std::vector<std::uint32_t> attachments;      // positions in the plan, in order of their names
  std::uint64_t data_end = 0;                  // end of the last storage, from file start
  std::uint64_t data_bytes = 0;                // of all storages
  std::uint64_t padding_bytes = 0;             // between storages
  std::uint64_t chunks = 0;                    // of all storages
};

// REQUIRES: check_plan() and check_options() accepted. kInvalidArgument for a storage that no
// tensor refers to, and when the file would not fit in 63 bits.
Result<PlanLayout> layout_plan(const WritePlan& plan, const WriterOptions& options,
                               std::string_view path);

}  // namespace ingot::writer
