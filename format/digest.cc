#include "format/digest.h"

#include <openssl/evp.h>
#ifdef INGOT_XXH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include <array>
#include <cstring>

namespace ingot {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

}  // namespace

std::string to_string(const Digest128& digest) {
  std::string text;
  text.reserve(32);
  for (const std::uint64_t half : {digest.high, digest.low}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += kHexDigits[(half >> shift) & 15u];
  }
  return text;
}

std::string to_string(const Sha256& digest) {
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

Digest128 digest_of(std::span<const std::byte> bytes) { return format::xxh3_128(bytes); }

namespace format {
namespace {

Digest128 from_xxh(XXH128_hash_t hash) { return {.low = hash.low64, .high = hash.high64}; }

// xxHash's dispatcher chooses its functions at the first call, without synchronisation. Making that
// call here, once, under the lock of a local static keeps later ones from racing with it.
void choose_vector_unit() {
#ifdef INGOT_XXH_DISPATCH
  [[maybe_unused]] static const bool chosen = [] {
    // Longer than 240 bytes: shorter inputs take no dispatched path.
    constexpr std::array<char, 256> kAnything{};
    XXH3_128bits_dispatch(kAnything.data(), kAnything.size());
    return true;
  }();
#endif
}

}  // namespace

Digest128 xxh3_128(Bytes bytes) {
#ifdef INGOT_XXH_DISPATCH
  choose_vector_unit();
  return from_xxh(XXH3_128bits_dispatch(bytes.data(), bytes.size()));
#else
  return from_xxh(XXH3_128bits(bytes.data(), bytes.size()));
#endif
}

struct StreamingDigest::State {
  // createState: the state must be aligned to 64 bytes.
  XXH3_state_t* xxh = XXH3_createState();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(xxh); }
};

StreamingDigest::StreamingDigest() : state_(std::make_unique<State>()) {
  choose_vector_unit();
  XXH3_128bits_reset(state_->xxh);
}
StreamingDigest::StreamingDigest(StreamingDigest&&) noexcept = default;
StreamingDigest& StreamingDigest::operator=(StreamingDigest&&) noexcept = default;
StreamingDigest::~StreamingDigest() = default;

void StreamingDigest::update(Bytes bytes) {
  if (bytes.empty()) return;
#ifdef INGOT_XXH_DISPATCH
  XXH3_128bits_update_dispatch(state_->xxh, bytes.data(), bytes.size());
#else
  XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
#endif
}

Digest128 StreamingDigest::finish() const { return from_xxh(XXH3_128bits_digest(state_->xxh)); }

namespace {

// Fetching an algorithm takes a lock and a search by name: once.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

}  // namespace

// libcrypto can fail only for want of memory; the result is then all zeros, which is no digest that
// a file may hold.
Sha256 sha256(Bytes bytes) {
  Sha256 digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, sha256_algorithm(), nullptr) !=
      1) {
    return {};
  }
  return digest;
}

struct StreamingSha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool ok = context != nullptr && EVP_DigestInit_ex(context, sha256_algorithm(), nullptr) == 1;
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

StreamingSha256::StreamingSha256() : state_(std::make_unique<State>()) {}
StreamingSha256::StreamingSha256(StreamingSha256&&) noexcept = default;
StreamingSha256& StreamingSha256::operator=(StreamingSha256&&) noexcept = default;
StreamingSha256::~StreamingSha256() = default;

void StreamingSha256::update(Bytes bytes) {
  state_->ok = state_->ok && EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1;
}

Sha256 StreamingSha256::finish() {
  Sha256 digest{};
  unsigned int length = 0;
  if (!state_->ok || EVP_DigestFinal_ex(state_->context, digest.data(), &length) != 1) return {};
  return digest;
}

}  // namespace format
}  // namespace ingot
