#include "format/digest.h"

#include <openssl/evp.h>
#ifdef INGOT_XXH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

#include "base/error.h"

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

// For libraries that answer with null: asks the standard library for more than there can be, which
// says so in its own way, in builds without exceptions too.
[[noreturn]] void no_memory() {
  static_cast<void>(std::allocator<std::byte>().allocate(std::numeric_limits<std::size_t>::max()));
  std::abort();
}

void require(bool ok) {
  if (!ok) no_memory();
}

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
  // createState: the state must be aligned to 64 bytes, and its size is the library's own affair.
  XXH3_state_t* const xxh = XXH3_createState();
  State() { require(xxh != nullptr); }
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

// Fetching an algorithm takes a lock and a search by name: once. Null when libcrypto has none; then
// it is asked again, for it may have been for want of memory. Kept for the life of the process, and
// so is the provider that has it.
const EVP_MD* sha256_algorithm() {
  static std::atomic<const EVP_MD*> known = nullptr;
  const EVP_MD* algorithm = known.load(std::memory_order_acquire);
  if (algorithm != nullptr) return algorithm;
  EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (fetched == nullptr) return nullptr;
  if (known.compare_exchange_strong(algorithm, fetched, std::memory_order_acq_rel)) return fetched;
  EVP_MD_free(fetched);  // another thread was first
  return algorithm;
}

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

bool compute(const EVP_MD* algorithm, Bytes bytes, Sha256* digest) {
  unsigned int length = 0;
  return algorithm != nullptr &&
         EVP_Digest(bytes.data(), bytes.size(), digest->data(), &length, algorithm, nullptr) == 1;
}

}  // namespace

Status check_sha256(std::string_view path) {
  // FIPS 180-4, of no bytes.
  constexpr Sha256 kOfNothing = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
  Sha256 digest{};
  if (compute(sha256_algorithm(), {}, &digest) && digest == kOfNothing) return {};
  return make_error(Code::kUnsupported, "libcrypto has no SHA-256")
      .file(path)
      .advice("its configuration, see OPENSSL_CONF, activates no provider that has it");
}

// Once the algorithm is there, libcrypto fails for want of memory alone.
Sha256 sha256(Bytes bytes) {
  Sha256 digest{};
  require(compute(sha256_algorithm(), bytes, &digest));
  return digest;
}

struct StreamingSha256::State {
  Context context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

StreamingSha256::StreamingSha256() : state_(std::make_unique<State>()) {
  const EVP_MD* algorithm = sha256_algorithm();
  require(algorithm != nullptr && state_->context != nullptr &&
          EVP_DigestInit_ex(state_->context.get(), algorithm, nullptr) == 1);
}
StreamingSha256::StreamingSha256(StreamingSha256&&) noexcept = default;
StreamingSha256& StreamingSha256::operator=(StreamingSha256&&) noexcept = default;
StreamingSha256::~StreamingSha256() = default;

void StreamingSha256::update(Bytes bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Sha256 StreamingSha256::finish() {
  Sha256 digest{};
  unsigned int length = 0;
  require(EVP_DigestFinal_ex(state_->context.get(), digest.data(), &length) == 1);
  return digest;
}

}  // namespace format
}  // namespace ingot
