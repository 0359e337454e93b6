#include "loader/direct_file.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "format/constants.h"

namespace ingot::loader {

Result<std::unique_ptr<io::File>> open_direct(const Checkpoint::State& state) {
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<io::File> direct, state.file->reopen_direct());
  const io::DirectAlignment alignment = direct->direct_alignment();
  const std::uint32_t coarsest = std::max(alignment.offset, alignment.memory);
  if (coarsest <= format::kPageBytes) return {std::move(direct)};
  return make_error(Code::kUnsupported, "O_DIRECT asks for a coarser alignment than the format's")
      .file(state.path())
      .expected("at most " + std::to_string(format::kPageBytes))
      .found(coarsest);
}

}  // namespace ingot::loader
