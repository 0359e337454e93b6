#include "loader/metadata.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/threads.h"
#include "format/digest.h"
#include "format/validate.h"
#include "io/fresh_memory.h"
#include "io/transfer.h"
#include "loader/parallel_read.h"

namespace ingot::loader {
namespace {

using format::Header;

struct Part {
  Region region;
  std::uint64_t offset;
  std::uint64_t bytes;
  std::uint64_t end;  // of the padding after it
  Digest128 digest;
  std::string_view damage;
};

Status check_zero(Bytes bytes, std::uint64_t offset, std::string_view path) {
  const std::size_t at = first_nonzero(bytes);
  if (at == bytes.size()) return {};
  return make_error(Code::kCorrupt, "F-19: byte that must be zero")
      .file(path)
      .at(Region::kPadding, offset + at, offset + at + 1)
      .expected("0x0")
      .found(hex(std::to_integer<std::uint64_t>(bytes[at])));
}

// One huge page is there sooner than many small ones, where it is at all.
std::uint64_t room_for(std::uint64_t bytes) {
  constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;
  const bool pays = bytes > kHugePage / 4 && io::huge_pages_are_cheap();
  return pays ? std::max(bytes, kHugePage) : bytes;
}

Result<io::AlignedBuffer> read(io::File& file, const Part& part) {
  const std::uint64_t bytes = part.end - part.offset;
  INGOT_ASSIGN_OR_RETURN(io::AlignedBuffer buffer,
                         io::AlignedBuffer::allocate(room_for(bytes), io::MemoryUse::kContent));
  INGOT_RETURN_IF_ERROR(parallel_read(file, part.offset, buffer.bytes().first(bytes)));
  return buffer;
}

Status check(const io::AlignedBuffer& buffer, const Part& part, std::string_view path) {
  const Bytes region = Bytes(buffer.bytes()).first(part.end - part.offset);
  const Bytes content = region.first(part.bytes);
  const Digest128 found = format::xxh3_128(content);
  if (found != part.digest) {
    return make_error(Code::kCorrupt, part.damage)
        .file(path)
        .at(part.region, part.offset, part.offset + part.bytes)
        .expected(to_string(part.digest))
        .found(to_string(found));
  }
  return check_zero(region.subspan(content.size()), part.offset + part.bytes, path);
}

// Index and digest table. Once the index is read, two threads share the rest of a large one: what
// the bytes say, and whether they are the bytes that were written. The validator takes hostile
// bytes, so it need not wait for their digest; names need only that reading them is safe.
class MetadataLoad {
 public:
  MetadataLoad(io::File& file, const Header& header, const Limits& limits)
      : file_(file), header_(header), limits_(limits) {}

  Result<Metadata> run() {
    INGOT_ASSIGN_OR_RETURN(metadata_.index, read(file_, index_));
    format::IndexValidation validation(
        Bytes(metadata_.index.bytes()).first(static_cast<std::size_t>(header_.index_bytes)),
        header_, limits_, file_.path());
    validation_ = &validation;
    const int threads = header_.index_bytes >= kMinBytesForThreads ? 2 : 1;
    if (run_on_threads(threads, &half, this) < 2) second_half();
    INGOT_RETURN_IF_ERROR(intact_);
    INGOT_RETURN_IF_ERROR(structure_);
    INGOT_RETURN_IF_ERROR(content_);
    INGOT_RETURN_IF_ERROR(names_);
    if (!digest_table_loaded_) load_digest_table();
    INGOT_RETURN_IF_ERROR(digest_table_intact_);
    return std::move(metadata_);
  }

 private:
  // Below, starting a thread costs more than it saves.
  static constexpr std::uint64_t kMinBytesForThreads = std::uint64_t{1} << 20;

  static void half(void* context, int i) {
    auto* load = static_cast<MetadataLoad*>(context);
    i == 0 ? load->first_half() : load->second_half();
  }

  // Says that no more will be known of the structure. The other half waits for this, so it is said
  // too when there is no memory for what is wrong with it.
  class Announcement {
   public:
    explicit Announcement(MetadataLoad& load) : load_(load) {}
    ~Announcement() {
      {
        const std::lock_guard lock(load_.mutex_);
        load_.structure_settled_ = true;
      }
      load_.settled_.notify_one();
    }
    Announcement(const Announcement&) = delete;
    Announcement& operator=(const Announcement&) = delete;

   private:
    MetadataLoad& load_;
  };

  void first_half() {
    {
      const Announcement announcement(*this);
      structure_ = validation_->structure();
      structure_accepted_ = structure_.ok();
    }
    if (structure_accepted_) content_ = validation_->content();
  }

  void second_half() {
    intact_ = check(metadata_.index, index_, file_.path());
    // The table's length is a mere claim until the index is valid: it may cost what the index did.
    if (intact_.ok() && header_.digests_bytes < header_.index_bytes) load_digest_table();
    if (await_structure()) names_ = validation_->names();
  }

  // Whether it was accepted.
  bool await_structure() {
    std::unique_lock lock(mutex_);
    settled_.wait(lock, [this] { return structure_settled_; });
    return structure_accepted_;
  }

  void load_digest_table() {
    digest_table_loaded_ = true;
    Result<io::AlignedBuffer> buffer = read(file_, digest_table_);
    digest_table_intact_ =
        buffer.ok() ? check(*buffer, digest_table_, file_.path()) : buffer.status();
    if (digest_table_intact_.ok()) metadata_.digest_table = *std::move(buffer);
  }

  io::File& file_;
  const Header& header_;
  const Limits& limits_;
  const Part index_{Region::kIndex,       header_.index_offset,
                    header_.index_bytes,  header_.second_header_offset(),
                    header_.index_digest, "F-21: wrong digest of the bytes"};
  const Part digest_table_{Region::kDigestTable,   header_.digests_offset,
                           header_.digests_bytes,  header_.index_offset,
                           header_.digests_digest, "F-20: wrong digest of the bytes"};
  Metadata metadata_;
  format::IndexValidation* validation_ = nullptr;
  std::mutex mutex_;
  std::condition_variable settled_;
  bool structure_settled_ = false;   // guarded by mutex_
  bool structure_accepted_ = false;  // these two are the first half's until it is settled
  Status structure_;
  Status intact_;  // of the index
  Status content_;
  Status names_;
  bool digest_table_loaded_ = false;
  Status digest_table_intact_;
};

Status over_limit(std::string_view what, Region region, std::uint64_t limit, std::uint64_t found,
                  std::string_view path) {
  return make_error(Code::kRejected, what)
      .file(path)
      .at(region)
      .expected("at most " + std::to_string(limit))
      .found(found);
}

// What may be copied, of what the header claims. A length costs whoever made the file nothing where
// the file system keeps holes: what is much has to be there.
Status check_lengths(const io::FileStat& opened, const Header& header, const Limits& limits,
                     std::string_view path) {
  if (header.index_bytes > limits.max_index_bytes) {
    return over_limit("F-33: the index is larger than the limit", Region::kIndex,
                      limits.max_index_bytes, header.index_bytes, path);
  }
  if (header.digests_bytes > limits.max_digest_table_bytes) {
    return over_limit("F-33: the digest table is larger than the limit", Region::kDigestTable,
                      limits.max_digest_table_bytes, header.digests_bytes, path);
  }
  // Both are below 2^63.
  const std::uint64_t bytes = header.index_bytes + header.digests_bytes;
  const std::uint64_t most = std::max(limits.max_unbacked_bytes, opened.allocated_bytes);
  if (bytes <= most) return {};
  return over_limit("F-33: index and digest table of a sparse file are larger than the limit",
                    Region::kFile, most, bytes, path);
}

}  // namespace

Result<Metadata> load_metadata(io::File& file, const io::FileStat& opened, const Header& header,
                               const Limits& limits) {
  INGOT_RETURN_IF_ERROR(check_lengths(opened, header, limits, file.path()));
  return MetadataLoad(file, header, limits).run();
}

Status check_data_padding(io::File& file, const Header& header) {
  std::array<std::byte, format::kPageBytes> page{};
  for (std::uint64_t at = header.data_end; at < header.digests_offset;) {
    const std::uint64_t n = std::min<std::uint64_t>(page.size(), header.digests_offset - at);
    MutableBytes padding = MutableBytes(page).first(static_cast<std::size_t>(n));
    INGOT_RETURN_IF_ERROR(io::read_exact(file, at, padding));
    INGOT_RETURN_IF_ERROR(check_zero(padding, at, file.path()));
    at += n;
  }
  return {};
}

}  // namespace ingot::loader
