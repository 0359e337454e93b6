// Verbs of the adapter's tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "ingot/libtorch.h"

#include "tests/support/scratch.h"

namespace ingot::libtorch::testing {

inline SaveOptions quick() { return {.writer = {.durability = Durability::kNone}}; }

// Code of the Error that `action` throws; kOk when it throws none.
template <typename Action>
Code code_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.status().code();
  }
  return Code::kOk;
}

// What the Error that `action` throws says; empty when it throws none.
template <typename Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what_without_backtrace();
  }
  return {};
}

// The elements of a tensor, row-major.
inline std::string bytes_of(const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.contiguous();
  return {static_cast<const char*>(whole.const_data_ptr()), whole.nbytes()};
}

// Same type, shape, strides and bits.
inline void expect_same(const torch::Tensor& a, const torch::Tensor& b, const std::string& what) {
  ASSERT_TRUE(a.defined() && b.defined()) << what;
  EXPECT_EQ(a.scalar_type(), b.scalar_type()) << what;
  EXPECT_EQ(a.sizes(), b.sizes()) << what;
  EXPECT_EQ(a.strides(), b.strides()) << what;
  EXPECT_TRUE(bytes_of(a) == bytes_of(b)) << what;
}

}  // namespace ingot::libtorch::testing
