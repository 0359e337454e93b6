// Hashing: XXH3 through xxHash's run-time dispatch, SHA-256 through libcrypto.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "ingot/digest.h"
#include "ingot/status.h"

#include "base/bytes.h"

namespace ingot::format {

// XXH3-128, seed 0.
Digest128 xxh3_128(Bytes bytes);
// XXH3-64, seed 0: hashes of names in the index.
std::uint64_t xxh3_64(Bytes bytes);

// XXH3-128 of bytes that come in parts. Movable, one thread at a time.
class StreamingDigest {
 public:
  StreamingDigest();
  StreamingDigest(StreamingDigest&&) noexcept;
  StreamingDigest& operator=(StreamingDigest&&) noexcept;
  ~StreamingDigest();
  void update(Bytes bytes);
  Digest128 finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// libcrypto may have been configured without SHA-256: kUnsupported then. To be asked once before
// SHA-256 is computed; `path` is for the message.
Status check_sha256(std::string_view path);

// SHA-256 of one piece. Never a digest that is wrong: when libcrypto has no memory this ends as any
// allocation of the standard library does, with std::bad_alloc, or with the process in a build
// without exceptions. REQUIRES: check_sha256() was OK; here and below.
Sha256 sha256(Bytes bytes);

// SHA-256 of bytes that come in parts.
class StreamingSha256 {
 public:
  StreamingSha256();
  StreamingSha256(StreamingSha256&&) noexcept;
  StreamingSha256& operator=(StreamingSha256&&) noexcept;
  ~StreamingSha256();
  void update(Bytes bytes);
  // Once.
  Sha256 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ingot::format
