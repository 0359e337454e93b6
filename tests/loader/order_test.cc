// F-28: a file that breaks several rules is refused for the one that is checked first.
#include <functional>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"

#include "tests/loader/sample.h"
#include "tests/support/hostile_index.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using Header = format::Header;

// One fault in each step that docs/format.md lists under "Order of validation", and more than one
// where order within a step is said.
struct Fault {
  std::string_view rule;
  std::function<void(HostileFile&)> make = [](HostileFile&) {};
  std::function<void(Header&)> edit_header = [](Header&) {};
  // Of the finished file; the header says where its regions are.
  std::function<void(Blob&, const Header&)> damage = [](Blob&, const Header&) {};
};

std::vector<Fault> faults_in_order() {
  const auto flip = [](auto where) {
    return [where](Blob& file, const Header& header) { file[where(header)] ^= std::byte{1}; };
  };
  return {
      {.rule = "F-02", .damage = flip([](const Header&) { return std::uint64_t{130}; })},
      {.rule = "F-08", .edit_header = [](Header& header) { header.chunk_log2 = 31; }},
      {.rule = "F-18",
       .damage = [](Blob& file, const Header&) { file.resize(file.size() + 4096); }},
      {.rule = "F-17", .damage = flip([](const Header& h) { return h.file_bytes - 1; })},
      {.rule = "F-21", .edit_header = [](Header& header) { header.index_digest.low ^= 1; }},
      {.rule = "F-19",
       .damage = flip([](const Header& h) { return h.index_offset + h.index_bytes; })},
      {.rule = "F-30", .make = [](HostileFile& file) { file.index.identifier = "XXXX"; }},
      {.rule = "F-70", .make = [](HostileFile& file) { file.index.name_tensors->push_back(0); }},
      {.rule = "F-41", .make = [](HostileFile& file) { file.index.storages[0].reserved0 = 1; }},
      {.rule = "F-51", .make = [](HostileFile& file) { file.index.tensors[0].dtype = 99; }},
      {.rule = "F-82",
       .make = [](HostileFile& file) { file.index.attachments->front().media_type = "\n"; }},
      {.rule = "F-91", .make = [](HostileFile& file) { file.index.state->nodes[1].kind = 10; }},
      {.rule = "F-20", .edit_header = [](Header& header) { header.digests_digest.low ^= 1; }},
      {.rule = "F-19", .damage = flip([](const Header& h) { return h.digests_offset - 1; })},
  };
}

Blob file_with(std::span<const Fault> faults) {
  HostileFile file = HostileFile::rich();
  for (const Fault& fault : faults) fault.make(file);
  const Header header = file.make_header();
  file.edit_header = [&](Header& edited) {
    for (const Fault& fault : faults) fault.edit_header(edited);
  };
  Blob bytes = file.assemble();
  for (const Fault& fault : faults) fault.damage(bytes, header);
  return bytes;
}

TEST(OrderOfValidation, TheFirstFaultIsTheError) {
  Scratch scratch;
  const std::string path = scratch.path("f");
  const std::vector<Fault> all = faults_in_order();
  for (std::span<const Fault> left(all); !left.empty(); left = left.subspan(1)) {
    for (std::size_t count : {left.size(), std::size_t{1}}) {  // and alone: the fault is one
      write_file(path, file_with(left.first(count)));
      EXPECT_THAT(Checkpoint::open(path).status().message(),
                  ::testing::StartsWith(path + ": " + std::string(left[0].rule) + ": "));
    }
  }
  write_file(path, file_with({}));
  EXPECT_OK(Checkpoint::open(path));
}

}  // namespace
}  // namespace ingot::testing
