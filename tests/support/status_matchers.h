// EXPECT_THAT(f(), IsOk()); EXPECT_THAT(f(), StatusIs(Code::kCorrupt, HasSubstr("index")));
// ASSERT_OK_AND_ASSIGN(auto x, f());
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "ingot/status.h"

namespace ingot {

inline void PrintTo(const Status& status, std::ostream* out) { *out << status.to_string(); }
inline void PrintTo(Code code, std::ostream* out) { *out << code_name(code); }

namespace testing {

inline const Status& status_of(const Status& status) { return status; }
template <typename T>
const Status& status_of(const Result<T>& result) {
  return result.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << status_of(arg).to_string();
  return status_of(arg).ok();
}

MATCHER_P2(StatusIs, code, message,
           "has code " + std::string(code_name(code)) + " and a message that " +
               ::testing::DescribeMatcher<std::string>(message, negation)) {
  const Status& status = status_of(arg);
  *result_listener << status.to_string();
  return status.code() == code && ::testing::Matches(::testing::Matcher<std::string>(message))(
                                      std::string(status.message()));
}
inline auto StatusIs(Code code) {
  return StatusIs(code, ::testing::Matcher<std::string>(::testing::_));
}

}  // namespace testing
}  // namespace ingot

#define INGOT_TEST_CONCAT_INNER_(a, b) a##b
#define INGOT_TEST_CONCAT_(a, b) INGOT_TEST_CONCAT_INNER_(a, b)
#define ASSERT_OK(expr) ASSERT_THAT((expr), ::ingot::testing::IsOk())
#define EXPECT_OK(expr) EXPECT_THAT((expr), ::ingot::testing::IsOk())
#define ASSERT_OK_AND_ASSIGN(declaration, expr) \
  ASSERT_OK_AND_ASSIGN_(INGOT_TEST_CONCAT_(result_, __LINE__), declaration, expr)
#define ASSERT_OK_AND_ASSIGN_(result, declaration, expr) \
  auto result = (expr);                                  \
  ASSERT_THAT(result, ::ingot::testing::IsOk());         \
  declaration = *std::move(result)
