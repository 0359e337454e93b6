#include "io/aligned_buffer.h"

#include <sys/mman.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "io/fresh_memory.h"

namespace ingot::io {
namespace {

constexpr std::uint64_t kPage = 4096;

std::byte* map_anonymous(std::uint64_t bytes, int flags = 0) {
  void* base =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return base == MAP_FAILED ? nullptr : static_cast<std::byte*>(base);
}

// `bytes`, a multiple of the page, aligned to a huge page; the first `huge` of them are to lie on
// huge pages. Maps one more and gives the ends back.
std::byte* map_huge(std::uint64_t bytes, std::uint64_t huge) {
  std::byte* base = map_anonymous(bytes + kHugePageBytes);
  if (base == nullptr) return nullptr;
  const std::uint64_t head = align_up(reinterpret_cast<std::uintptr_t>(base), kHugePageBytes) -
                             reinterpret_cast<std::uintptr_t>(base);
  if (head > 0) ::munmap(base, head);
  if (head < kHugePageBytes) ::munmap(base + head + bytes, kHugePageBytes - head);
  ::madvise(base + head, huge, MADV_HUGEPAGE);  // a wish: small pages serve as well
  return base + head;
}

}  // namespace

Result<AlignedBuffer> AlignedBuffer::allocate(std::uint64_t bytes, MemoryUse use) {
  AlignedBuffer buffer;
  if (bytes == 0) return buffer;
  const Status failure = make_error(Code::kResourceExhausted, "no memory for a buffer")
                             .expected(human_bytes(bytes))
                             .os_error(ENOMEM);
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max());
  if (bytes > kMost - 2 * kHugePageBytes) return failure;
  const bool large = bytes >= kHugePageBytes;
  const bool huge = large && (use == MemoryUse::kTransfers || huge_pages_are_cheap());
  const bool fill_last = huge && use == MemoryUse::kContent;
  const std::uint64_t reserved = align_up(bytes, fill_last ? kHugePageBytes : kPage);
  buffer.data_ = huge ? map_huge(reserved, align_down(reserved, kHugePageBytes))
                      : map_anonymous(reserved, large ? 0 : MAP_POPULATE);
  if (buffer.data_ == nullptr) return failure;
  buffer.size_ = bytes;
  buffer.reserved_ = reserved;
  return buffer;
}

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      reserved_(std::exchange(other.reserved_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  AlignedBuffer old = std::move(*this);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(reserved_, other.reserved_);
  return *this;
}

AlignedBuffer::~AlignedBuffer() {
  if (data_ != nullptr) ::munmap(data_, reserved_);
}

}  // namespace ingot::io
