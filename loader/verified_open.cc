#include "loader/verified_open.h"

#include "base/cancel.h"
#include "base/error.h"

namespace ingot::loader {

Result<Checkpoint> open_verified(const std::string& path, const VerifiedOpenOptions& options) {
  if (is_set(options.verify.cancel)) {
    return make_error(Code::kCancelled, "the verification was cancelled").file(path);
  }
  INGOT_ASSIGN_OR_RETURN(Checkpoint checkpoint, Checkpoint::open(path, options.open));
  INGOT_ASSIGN_OR_RETURN(const VerifyReport report, verify(checkpoint, options.verify));
  if (!report.intact()) return report.errors.front();
  return checkpoint;
}

}  // namespace ingot::loader
