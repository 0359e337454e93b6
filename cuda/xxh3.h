// XXH3-128, seed 0, default secret (xxHash 0.8), in a form that runs on the host and on a GPU alike
// and that can be computed in parallel.
//
// An input longer than 240 bytes is a row of blocks of 1024 bytes. Each of eight 64-bit
// accumulators takes what the stripes of a block add to it, and is scrambled at the block's end:
//
//   accumulator = scramble(accumulator + block sum)        for every whole block, in order
//   accumulator = accumulator + tail sum                   the rest, and the last 64 bytes once
//   more
//
// No sum depends on an accumulator. So all sums can be computed at once, in any order, and only the
// short chain above is sequential.
//
// Everything here is plain arithmetic on bytes in the caller's memory; no state, no errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define INGOT_HOST_DEVICE __host__ __device__
#else
#define INGOT_HOST_DEVICE
#endif

namespace ingot::gpu::xxh3 {

inline constexpr std::uint64_t kShortBytes = 240;  // up to here there are no blocks
inline constexpr std::uint64_t kBlockBytes = 1024;
inline constexpr std::uint64_t kStripeBytes = 64;
inline constexpr int kLanes = 8;  // accumulators
inline constexpr int kSecretBytes = 192;

inline constexpr std::uint32_t kPrime32No1 = 0x9E3779B1u;
inline constexpr std::uint32_t kPrime32No2 = 0x85EBCA77u;
inline constexpr std::uint32_t kPrime32No3 = 0xC2B2AE3Du;
inline constexpr std::uint64_t kPrime64No1 = 0x9E3779B185EBCA87u;
inline constexpr std::uint64_t kPrime64No2 = 0xC2B2AE3D27D4EB4Fu;
inline constexpr std::uint64_t kPrime64No3 = 0x165667B19E3779F9u;
inline constexpr std::uint64_t kPrime64No4 = 0x85EBCA77C2B2AE63u;
inline constexpr std::uint64_t kPrime64No5 = 0x27D4EB2F165667C5u;
inline constexpr std::uint64_t kPrimeMix1 = 0x165667919E3779F9u;
inline constexpr std::uint64_t kPrimeMix2 = 0x9FB21C651E98DF25u;

struct Hash128 {
  std::uint64_t low;
  std::uint64_t high;
};

#define INGOT_XXH3_SECRET                                                                         \
  0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, \
      0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67,   \
      0x1f, 0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff,   \
      0x72, 0x21, 0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81,   \
      0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b,   \
      0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef,   \
      0x46, 0xa9, 0xde, 0xac, 0xd8, 0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc,   \
      0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8,   \
      0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3,   \
      0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb, 0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda,   \
      0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47,   \
      0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95,   \
      0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e

inline constexpr unsigned char kSecret[kSecretBytes] = {INGOT_XXH3_SECRET};
#ifdef __CUDACC__
// The device has a copy of its own: it cannot index an array of the host.
alignas(8) static __device__ const unsigned char kDeviceSecret[kSecretBytes] = {INGOT_XXH3_SECRET};
#endif
#undef INGOT_XXH3_SECRET

// Little-endian numbers at any address. The device wants aligned addresses, or single bytes.
INGOT_HOST_DEVICE inline std::uint32_t load32(const void* at) {
#ifdef __CUDA_ARCH__
  const auto* byte = static_cast<const unsigned char*>(at);
  return byte[0] | (std::uint32_t{byte[1]} << 8) | (std::uint32_t{byte[2]} << 16) |
         (std::uint32_t{byte[3]} << 24);
#else
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
#endif
}

INGOT_HOST_DEVICE inline std::uint64_t load64(const void* at) {
#ifdef __CUDA_ARCH__
  if (reinterpret_cast<std::uintptr_t>(at) % 8 == 0) return *static_cast<const std::uint64_t*>(at);
  const auto* byte = static_cast<const unsigned char*>(at);
  return load32(byte) | (std::uint64_t{load32(byte + 4)} << 32);
#else
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
#endif
}

INGOT_HOST_DEVICE inline std::uint64_t secret64(int offset) {
#ifdef __CUDA_ARCH__
  return load64(kDeviceSecret + offset);
#else
  return load64(kSecret + offset);
#endif
}

INGOT_HOST_DEVICE inline std::uint32_t secret32(int offset) {
  return static_cast<std::uint32_t>(secret64(offset));
}

INGOT_HOST_DEVICE inline Hash128 multiply_128(std::uint64_t a, std::uint64_t b) {
#ifdef __CUDA_ARCH__
  return {a * b, __umul64hi(a, b)};
#else
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return {static_cast<std::uint64_t>(product), static_cast<std::uint64_t>(product >> 64)};
#endif
}

INGOT_HOST_DEVICE inline std::uint64_t multiply_fold(std::uint64_t a, std::uint64_t b) {
  const Hash128 product = multiply_128(a, b);
  return product.low ^ product.high;
}

// The product of a number's two halves.
INGOT_HOST_DEVICE inline std::uint64_t multiply_halves(std::uint64_t value) {
  return (value & 0xFFFFFFFFu) * (value >> 32);
}

INGOT_HOST_DEVICE inline std::uint32_t swap32(std::uint32_t value) {
  return (value << 24) | ((value << 8) & 0xFF0000u) | ((value >> 8) & 0xFF00u) | (value >> 24);
}

INGOT_HOST_DEVICE inline std::uint64_t swap64(std::uint64_t value) {
  return (std::uint64_t{swap32(static_cast<std::uint32_t>(value))} << 32) |
         swap32(static_cast<std::uint32_t>(value >> 32));
}

INGOT_HOST_DEVICE inline std::uint64_t avalanche(std::uint64_t value) {
  value = (value ^ (value >> 37)) * kPrimeMix1;
  return value ^ (value >> 32);
}

// The older mixing, of inputs up to 3 bytes.
INGOT_HOST_DEVICE inline std::uint64_t avalanche_xxh64(std::uint64_t value) {
  value = (value ^ (value >> 33)) * kPrime64No2;
  value = (value ^ (value >> 29)) * kPrime64No3;
  return value ^ (value >> 32);
}

// Short inputs ------------------------------------------------------------------------------------

INGOT_HOST_DEVICE inline Hash128 hash_0() {
  return {avalanche_xxh64(secret64(64) ^ secret64(72)),
          avalanche_xxh64(secret64(80) ^ secret64(88))};
}

INGOT_HOST_DEVICE inline Hash128 hash_1_to_3(const unsigned char* data, std::uint64_t bytes) {
  const std::uint32_t low = (std::uint32_t{data[0]} << 16) |
                            (std::uint32_t{data[bytes / 2]} << 24) | data[bytes - 1] |
                            (static_cast<std::uint32_t>(bytes) << 8);
  const std::uint32_t swapped = swap32(low);
  const std::uint32_t high = (swapped << 13) | (swapped >> 19);
  return {avalanche_xxh64(std::uint64_t{low ^ secret32(0) ^ secret32(4)}),
          avalanche_xxh64(std::uint64_t{high ^ secret32(8) ^ secret32(12)})};
}

INGOT_HOST_DEVICE inline Hash128 hash_4_to_8(const unsigned char* data, std::uint64_t bytes) {
  const std::uint64_t both = load32(data) | (std::uint64_t{load32(data + bytes - 4)} << 32);
  Hash128 hash = multiply_128(both ^ secret64(16) ^ secret64(24), kPrime64No1 + (bytes << 2));
  hash.high += hash.low << 1;
  hash.low ^= hash.high >> 3;
  hash.low = (hash.low ^ (hash.low >> 35)) * kPrimeMix2;
  hash.low ^= hash.low >> 28;
  hash.high = avalanche(hash.high);
  return hash;
}

INGOT_HOST_DEVICE inline Hash128 hash_9_to_16(const unsigned char* data, std::uint64_t bytes) {
  const std::uint64_t first = load64(data);
  const std::uint64_t last = load64(data + bytes - 8);
  Hash128 mixed = multiply_128(first ^ last ^ secret64(32) ^ secret64(40), kPrime64No1);
  mixed.low += (bytes - 1) << 54;
  const std::uint64_t keyed = last ^ secret64(48) ^ secret64(56);
  mixed.high += keyed + (keyed & 0xFFFFFFFFu) * (kPrime32No2 - 1u);
  mixed.low ^= swap64(mixed.high);
  Hash128 hash = multiply_128(mixed.low, kPrime64No2);
  hash.high += mixed.high * kPrime64No2;
  return {avalanche(hash.low), avalanche(hash.high)};
}

INGOT_HOST_DEVICE inline std::uint64_t mix_16(const unsigned char* data, int secret) {
  return multiply_fold(load64(data) ^ secret64(secret), load64(data + 8) ^ secret64(secret + 8));
}

INGOT_HOST_DEVICE inline Hash128 mix_32(Hash128 sum, const unsigned char* a, const unsigned char* b,
                                        int secret) {
  sum.low = (sum.low + mix_16(a, secret)) ^ (load64(b) + load64(b + 8));
  sum.high = (sum.high + mix_16(b, secret + 16)) ^ (load64(a) + load64(a + 8));
  return sum;
}

INGOT_HOST_DEVICE inline Hash128 finish_short(Hash128 sum, std::uint64_t bytes) {
  return {avalanche(sum.low + sum.high),
          0 - avalanche(sum.low * kPrime64No1 + sum.high * kPrime64No4 + bytes * kPrime64No2)};
}

INGOT_HOST_DEVICE inline Hash128 hash_17_to_128(const unsigned char* data, std::uint64_t bytes) {
  Hash128 sum{bytes * kPrime64No1, 0};
  // From the middle outwards, a pair of 16 bytes from both ends at a time.
  for (int pair = static_cast<int>((bytes - 1) / 32); pair >= 0; --pair) {
    sum = mix_32(sum, data + 16 * pair, data + bytes - 16 * (pair + 1), 32 * pair);
  }
  return finish_short(sum, bytes);
}

INGOT_HOST_DEVICE inline Hash128 hash_129_to_240(const unsigned char* data, std::uint64_t bytes) {
  Hash128 sum{bytes * kPrime64No1, 0};
  const int rounds = static_cast<int>(bytes / 32);
  for (int i = 0; i < 4; ++i) sum = mix_32(sum, data + 32 * i, data + 32 * i + 16, 32 * i);
  sum = {avalanche(sum.low), avalanche(sum.high)};
  for (int i = 4; i < rounds; ++i) {
    sum = mix_32(sum, data + 32 * i, data + 32 * i + 16, 3 + 32 * (i - 4));
  }
  sum = mix_32(sum, data + bytes - 16, data + bytes - 32, 103);
  return finish_short(sum, bytes);
}

// REQUIRES: bytes <= kShortBytes.
INGOT_HOST_DEVICE inline Hash128 hash_short(const void* data, std::uint64_t bytes) {
  const auto* from = static_cast<const unsigned char*>(data);
  if (bytes == 0) return hash_0();
  if (bytes <= 3) return hash_1_to_3(from, bytes);
  if (bytes <= 8) return hash_4_to_8(from, bytes);
  if (bytes <= 16) return hash_9_to_16(from, bytes);
  if (bytes <= 128) return hash_17_to_128(from, bytes);
  return hash_129_to_240(from, bytes);
}

// Long inputs, from here on: more than kShortBytes
// -------------------------------------------------

// Whole blocks, each of which ends in a scramble: all but the last, which may be whole, too.
INGOT_HOST_DEVICE inline std::uint64_t chained_blocks(std::uint64_t bytes) {
  return (bytes - 1) / kBlockBytes;
}

INGOT_HOST_DEVICE inline std::uint64_t initial_accumulator(int lane) {
  switch (lane) {
    case 0:
      return kPrime32No3;
    case 1:
      return kPrime64No1;
    case 2:
      return kPrime64No2;
    case 3:
      return kPrime64No3;
    case 4:
      return kPrime64No4;
    case 5:
      return kPrime32No2;
    case 6:
      return kPrime64No5;
    default:
      return kPrime32No1;
  }
}

// What eight bytes `own` of a stripe and their neighbour add to the accumulator of `own`.
INGOT_HOST_DEVICE inline std::uint64_t contribution(std::uint64_t own, std::uint64_t neighbour,
                                                    std::uint64_t key) {
  return neighbour + multiply_halves(own ^ key);
}

// The key of a lane in stripe 0..15 of a block.
INGOT_HOST_DEVICE inline std::uint64_t stripe_key(int stripe, int lane) {
  return secret64(8 * (stripe + lane));
}

INGOT_HOST_DEVICE inline std::uint64_t stripe_sum(const unsigned char* stripe, int lane,
                                                  std::uint64_t key) {
  return contribution(load64(stripe + 8 * lane), load64(stripe + 8 * (lane ^ 1)), key);
}

// What one lane takes from the first `stripes` stripes of a block.
INGOT_HOST_DEVICE inline std::uint64_t stripes_sum(const void* block, int stripes, int lane) {
  const auto* stripe = static_cast<const unsigned char*>(block);
  std::uint64_t sum = 0;
  for (int i = 0; i < stripes; ++i) {
    sum += stripe_sum(stripe + kStripeBytes * static_cast<unsigned>(i), lane, stripe_key(i, lane));
  }
  return sum;
}

INGOT_HOST_DEVICE inline std::uint64_t block_sum(const void* block, int lane) {
  return stripes_sum(block, static_cast<int>(kBlockBytes / kStripeBytes), lane);
}

INGOT_HOST_DEVICE inline std::uint64_t scramble_key(int lane) { return secret64(128 + 8 * lane); }

// One step of the chain.
INGOT_HOST_DEVICE inline std::uint64_t chain(std::uint64_t accumulator, std::uint64_t sum,
                                             std::uint64_t key) {
  accumulator += sum;
  accumulator ^= accumulator >> 47;
  return (accumulator ^ key) * kPrime32No1;
}

// The stripes after the chained blocks, and the last 64 bytes with a key of their own.
INGOT_HOST_DEVICE inline std::uint64_t tail_sum(const void* data, std::uint64_t bytes, int lane) {
  const auto* from = static_cast<const unsigned char*>(data);
  const std::uint64_t begin = chained_blocks(bytes) * kBlockBytes;
  const int stripes = static_cast<int>((bytes - 1 - begin) / kStripeBytes);
  return stripes_sum(from + begin, stripes, lane) +
         stripe_sum(from + bytes - kStripeBytes, lane, secret64(121 + 8 * lane));
}

INGOT_HOST_DEVICE inline std::uint64_t merge(const std::uint64_t (&accumulators)[kLanes],
                                             int secret, std::uint64_t start) {
  for (int i = 0; i < kLanes; i += 2) {
    start += multiply_fold(accumulators[i] ^ secret64(secret + 8 * i),
                           accumulators[i + 1] ^ secret64(secret + 8 * i + 8));
  }
  return avalanche(start);
}

INGOT_HOST_DEVICE inline std::uint64_t finish_low(const std::uint64_t (&accumulators)[kLanes],
                                                  std::uint64_t bytes) {
  return merge(accumulators, 11, bytes * kPrime64No1);
}

INGOT_HOST_DEVICE inline std::uint64_t finish_high(const std::uint64_t (&accumulators)[kLanes],
                                                   std::uint64_t bytes) {
  return merge(accumulators, 117, ~(bytes * kPrime64No2));
}

}  // namespace ingot::gpu::xxh3
