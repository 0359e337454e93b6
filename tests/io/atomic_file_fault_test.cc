// SQLite's I/O error loop: call N fails, for N = 0, 1, … until nothing fails. Whatever fails, the
// name leads to the old file or to the new one, whole, and nothing else is left.
#include <set>
#include <vector>

#include "tests/io/atomic_testing.h"

namespace ingot::io {
namespace {

struct Tested {
  AtomicPlace place;
  bool replace;
  bool old_file;
};

class AtomicFileFault : public ::testing::TestWithParam<Tested> {
 protected:
  const std::vector<std::byte> old_ = pattern(5000, 1);
  const std::vector<std::byte> new_ = pattern(9000, 2);

  // All of them in memory; on a disk, where each publish waits for it, the most usual.
  static std::vector<int> errors() {
    if (AtomicWorld::on_disk(GetParam().place)) return {EIO};
    return {EIO, ENOSPC, EACCES, EEXIST, ENOENT, EINTR, ESTALE, EDQUOT, EROFS};
  }

  // One publish with one fault; whether the fault was reached.
  bool run(const Fault& fault) {
    AtomicWorld world(GetParam().place);
    if (GetParam().old_file) world.put("model", old_);
    world.files().set_fault(fault);
    const Status status = world.publish(new_, {.replace = GetParam().replace, .durable = true});
    const bool fired = world.files().fired();
    world.files().clear();
    check(world, status, fault);
    return fired;
  }

  void check(AtomicWorld& world, const Status& status, const Fault& fault) {
    SCOPED_TRACE("call " + std::to_string(fault.at) + (fault.forever ? " and later" : "") +
                 ", errno " + std::to_string(fault.os_error) + ": " + status.to_string());
    const auto content = world.content();
    const auto before = GetParam().old_file ? old_ : std::vector<std::byte>();
    if (status.ok() || status.code() == Code::kCommitUncertain) {
      EXPECT_EQ(content, new_);
    } else {
      EXPECT_EQ(content, before);
      EXPECT_EQ(world.calm_files().exists(world.path()), GetParam().old_file);
    }
    // When removing fails for ever, a leftover stays for the next writer.
    const std::vector<std::string> names = world.names();
    const std::set<std::string> left(names.begin(), names.end());
    EXPECT_TRUE(fault.forever || left.size() == left.count("model")) << names.back();
    EXPECT_OK(world.publish(old_));
    EXPECT_EQ(world.names(), std::vector<std::string>{"model"});
    EXPECT_EQ(world.content(), old_);
  }
};

TEST_P(AtomicFileFault, EveryCallFailsInTurn) {
  for (const bool forever : {false, true}) {
    for (const int os_error : errors()) {
      Fault fault;
      fault.os_error = os_error;
      fault.forever = forever;
      while (run(fault)) ++fault.at;
      EXPECT_GT(fault.at, 5U) << "too few calls for a publish";
    }
  }
}

TEST_P(AtomicFileFault, EveryTransferIsShortInTurn) {
  for (const std::uint64_t transfer : {1U, 511U, 4096U, 8999U}) {
    Fault fault;
    fault.kind = Fault::Kind::kShort;
    fault.only = {Call::kRead, Call::kWrite};
    fault.transfer = transfer;
    while (run(fault)) ++fault.at;
    EXPECT_GT(fault.at, 0U);
  }
}

std::string tested_name(const ::testing::TestParamInfo<Tested>& info) {
  return atomic_place_name(info.param.place) + (info.param.replace ? "Replace" : "Keep") +
         (info.param.old_file ? "Old" : "Fresh");
}

INSTANTIATE_TEST_SUITE_P(Places, AtomicFileFault,
                         ::testing::Values(Tested{AtomicPlace::kMemoryUnnamed, true, true},
                                           Tested{AtomicPlace::kMemoryUnnamed, true, false},
                                           Tested{AtomicPlace::kMemoryUnnamed, false, false},
                                           Tested{AtomicPlace::kMemorySibling, true, true},
                                           Tested{AtomicPlace::kMemorySibling, true, false},
                                           Tested{AtomicPlace::kMemorySibling, false, false},
                                           Tested{AtomicPlace::kDiskUnnamed, true, true},
                                           Tested{AtomicPlace::kDiskUnnamed, false, false},
                                           Tested{AtomicPlace::kDiskSibling, true, true},
                                           Tested{AtomicPlace::kDiskSibling, false, false}),
                         tested_name);

}  // namespace
}  // namespace ingot::io
