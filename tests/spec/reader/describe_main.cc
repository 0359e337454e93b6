// describe FILE...: each file as one line of JSON. The exit code is that of the first failure.
#include <cstdio>

#include "ingot/verify.h"

#include "tests/spec/reader/describe.h"

namespace {

ingot::Result<std::string> describe_file(const char* path) {
  INGOT_ASSIGN_OR_RETURN(const ingot::Checkpoint checkpoint, ingot::Checkpoint::open(path));
  INGOT_ASSIGN_OR_RETURN(const ingot::VerifyReport report, ingot::verify(checkpoint));
  if (!report.errors.empty()) return report.errors.front();
  return ingot::testing::describe(checkpoint);
}

}  // namespace

int main(int argc, char** argv) {
  int code = 0;
  for (int i = 1; i < argc; ++i) {
    const auto text = describe_file(argv[i]);
    if (text.ok()) {
      std::puts(text->c_str());
      continue;
    }
    std::fprintf(stderr, "%s\n", text.status().to_string().c_str());
    if (code == 0) code = ingot::exit_code(text.status().code());
  }
  return code;
}
