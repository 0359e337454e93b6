// A libcrypto without SHA-256, as one that an administrator's configuration has left without it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/support/scratch.h"

namespace ingot::testing {

// While it lives, programs that start find OpenSSL configured to have its null provider alone; so
// do death tests, each of which is a program of its own then. This process goes on as it was.
class NoSha256 {
 public:
  NoSha256() {
    std::ofstream(folder_.path("openssl.cnf")) << "openssl_conf = init\n"
                                                  "[init]\nproviders = list\n"
                                                  "[list]\nnull = null_provider\n"
                                                  "[null_provider]\nactivate = 1\n";
    ::setenv("OPENSSL_CONF", folder_.path("openssl.cnf").c_str(), 1);
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  }
  ~NoSha256() {
    ::testing::FLAGS_gtest_death_test_style = style_;
    if (had_) {
      ::setenv("OPENSSL_CONF", before_.c_str(), 1);
    } else {
      ::unsetenv("OPENSSL_CONF");
    }
  }
  NoSha256(const NoSha256&) = delete;
  NoSha256& operator=(const NoSha256&) = delete;

 private:
  const Scratch folder_;
  const std::string style_ = ::testing::FLAGS_gtest_death_test_style;
  const bool had_ = std::getenv("OPENSSL_CONF") != nullptr;
  const std::string before_ = had_ ? std::getenv("OPENSSL_CONF") : "";
};

}  // namespace ingot::testing
