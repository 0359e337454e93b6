// Verbs for tests of validate_index()'s failing side.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/support/hostile_index.h"
#include "tests/support/status_matchers.h"

namespace ingot::format {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::HostileFile;
using testing::HostileIndex;
using testing::IsOk;
using testing::StatusIs;

// The rich file: tensors and storages by name, so that tests need no numbers. Every case runs
// twice, with the names as they are and with longer ones: the validator has a fast path for tensors
// with names of 16 bytes or more, and both paths must know every rule.
class Validation : public ::testing::Test {
 protected:
  using Edit = std::function<void(HostileIndex&)>;

  static HostileFile with_long_names() {
    HostileFile file = HostileFile::rich();
    for (auto& tensor : file.index.tensors) tensor.name = "model.layers.10." + *tensor.name;
    file.index.fix_names();
    return file;
  }
  static Status validate_edited(const Edit& edit, HostileFile file = HostileFile::rich()) {
    edit(file.index);
    return file.validate_index();
  }
  template <typename Matcher>
  static void expect_status(const Edit& edit, const Matcher& matcher) {
    EXPECT_THAT(validate_edited(edit), matcher);
    EXPECT_THAT(validate_edited(edit, with_long_names()), matcher);
  }
  static void expect_rejected(const std::string& rule, const Edit& edit) {
    expect_status(edit, StatusIs(Code::kRejected, HasSubstr("test.ingot: " + rule + ": ")));
  }
  static void expect_accepted(const Edit& edit) { expect_status(edit, IsOk()); }

  static HostileIndex::Tensor& tensor(HostileIndex& index, const std::string& name) {
    for (auto& candidate : index.tensors) {
      if (candidate.name->ends_with(name)) return candidate;
    }
    ADD_FAILURE() << "no tensor " << name;
    return index.tensors[0];
  }
  static HostileIndex::Storage& storage_of(HostileIndex& index, const std::string& name) {
    return index.storages[tensor(index, name).storage];
  }
  // A tensor changed in one way breaks the rule, and the message names it.
  static void expect_tensor_rejected(const std::string& rule, const std::string& name,
                                     const std::function<void(HostileIndex::Tensor&)>& edit) {
    const Edit edit_index = [&](HostileIndex& index) { edit(tensor(index, name)); };
    expect_status(edit_index,
                  StatusIs(Code::kRejected, AllOf(HasSubstr(rule + ": "), HasSubstr(name + "\""))));
    const Status status = validate_edited(edit_index);
    EXPECT_EQ(status.location().tensor, name);
    EXPECT_EQ(status.location().region, Region::kIndex);
  }
};

}  // namespace ingot::format
