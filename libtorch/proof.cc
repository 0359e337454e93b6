#include "libtorch/proof.h"

#include "ingot/verify.h"

#include "libtorch/error.h"

namespace ingot::libtorch {

void prove_tensors(const Checkpoint& checkpoint, std::vector<std::string> names, int threads) {
  if (names.empty()) return;  // for verify() no names are all names
  VerifyOptions options;
  options.tensors = std::move(names);
  options.threads = threads;
  const VerifyReport report = take(verify(checkpoint, options));
  if (!report.errors.empty()) check(report.errors.front());
}

}  // namespace ingot::libtorch
