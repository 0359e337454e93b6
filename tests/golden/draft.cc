#include "tests/golden/draft.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "format/constants.h"
#include "tests/fuzz/fix_digests.h"
#include "tests/golden/valid_goldens.h"
#include "tests/support/scratch.h"

namespace ingot::golden {

namespace at = format::header_at;

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

FileBytes read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

FileBytes write_valid(std::string_view name) {
  for (const ValidGolden& golden : valid_goldens()) {
    if (golden.name != name) continue;
    const ingot::testing::Scratch scratch;
    const std::string path = scratch.path("golden.ingot");
    if (const Status status = golden.write(path); !status.ok()) fail(status.to_string());
    return read_file(path);
  }
  fail("no valid golden is called " + std::string(name));
}

}  // namespace

const FileBytes& valid_file(std::string_view name) {
  static std::map<std::string, FileBytes, std::less<>> files;
  auto it = files.find(name);
  if (it == files.end()) it = files.emplace(name, write_valid(name)).first;
  return it->second;
}

Draft::Draft(FileBytes bytes)
    : bytes_(std::move(bytes)),
      data_end_(get<std::uint64_t>(at::kDataEnd)),
      digests_begin_(get<std::uint64_t>(at::kDigestsOffset)),
      digests_end_(digests_begin_ + get<std::uint64_t>(at::kDigestsBytes)),
      index_begin_(get<std::uint64_t>(at::kIndexOffset)),
      index_end_(index_begin_ + get<std::uint64_t>(at::kIndexBytes)) {}

void Draft::seal() {
  fuzz::fix_regions(header(), digests(), index());
  fuzz::fix_header(header());
  std::memcpy(second_header().data(), header().data(), header().size());
}

void Draft::reseal() { fuzz::fix_file(file()); }

}  // namespace ingot::golden
