// An open file, a mapping of it: the operating system behind one small interface.
//
// Each virtual function is one system call, so that the test doubles (memory_file_system.h,
// fault_file_system.h) can fail, tear or delay any of them. Loops over short transfers, and all
// else that is built from calls, stand above this interface (transfer.h, atomic_file.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ingot/status.h"

#include "base/bytes.h"

namespace ingot::io {

enum class NodeKind : std::uint8_t { kRegular, kFolder, kSymlink, kFifo, kSocket, kDevice };
// "a regular file", "a folder", ...: for messages.
std::string_view kind_name(NodeKind kind);

struct FileStat {
  std::uint64_t bytes = 0;
  std::uint64_t allocated_bytes = 0;  // on the medium: holes are not counted
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  std::uint64_t links = 0;
  std::int64_t modified_ns = 0;
  std::uint32_t permissions = 0;  // the nine bits rwxrwxrwx
  NodeKind kind = NodeKind::kRegular;

  bool regular() const { return kind == NodeKind::kRegular; }
};

enum class Advice : std::uint8_t {
  kSequential,
  kWillNeed,
  kDontNeed,  // drop clean pages from the page cache
};

enum class MapMode : std::uint8_t {
  kReadOnly,     // PROT_READ, MAP_PRIVATE
  kCopyOnWrite,  // PROT_READ | PROT_WRITE, MAP_PRIVATE: writes stay private
};

// Mapped bytes; unmapped on destruction. Thread-safe.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual MutableBytes bytes() const = 0;  // writable only for kCopyOnWrite
  // Brings pages in, so that a truncated file is kIoError here instead of SIGBUS on touch. OK and
  // without effect where the kernel cannot (before Linux 5.14).
  virtual Status populate(std::uint64_t offset, std::uint64_t length) const = 0;
  // Takes the pages that lie whole within these bytes out of the process's resident set; they stay
  // in the page cache, and a touch brings them back. Advice: without effect where it cannot be
  // done. REQUIRES: kReadOnly (what was written to a private copy would be lost).
  virtual void release(std::uint64_t offset, std::uint64_t length) const = 0;
  // How many of these bytes are in memory already, by whole pages (mincore). kUnsupported for those
  // who neither own the file nor may write it: the kernel does not tell them.
  virtual Result<std::uint64_t> resident(std::uint64_t offset, std::uint64_t length) const = 0;
};

// Alignment that O_DIRECT asks of offsets, lengths and memory.
struct DirectAlignment {
  std::uint32_t memory = 4096;
  std::uint32_t offset = 4096;
};

// Errors carry the path and errno. Thread-safe: offsets are explicit, there is no position.
class File {
 public:
  virtual ~File() = default;  // closes; errors of a close that matters are had from close()

  virtual const std::string& path() const = 0;
  // What errors call the file from now on. Not while other threads use it.
  virtual void set_path(std::string path) = 0;
  // One pread/pwrite. May be short; 0 from a read is the end of the file.
  virtual Result<std::size_t> read_some(std::uint64_t offset, MutableBytes destination) = 0;
  virtual Result<std::size_t> write_some(std::uint64_t offset, Bytes source) = 0;
  // Reserves space for [0, bytes) and sets the length. kUnsupported where the file system cannot;
  // kResourceExhausted when it is full.
  virtual Status allocate(std::uint64_t bytes) = 0;
  virtual Status resize(std::uint64_t bytes) = 0;
  // Data and length on stable storage. After a failure the data may be lost and a second call may
  // lie: give the file up (reliability: "fsync failure is final").
  virtual Status sync() = 0;
  virtual Result<FileStat> stat() = 0;
  virtual Status set_permissions(std::uint32_t permissions) = 0;  // FileStat::permissions
  virtual Result<std::unique_ptr<Mapping>> map(std::uint64_t offset, std::uint64_t length,
                                               MapMode mode) = 0;
  virtual Status advise(Advice advice, std::uint64_t offset, std::uint64_t length) = 0;
  // Exclusive advisory lock; kAlreadyExists when another open file holds it, kUnsupported where the
  // file system has no locks. Some (NFS) give it to files that are open for writing alone.
  virtual Status try_lock() = 0;
  virtual Status close() = 0;

  // A second description of the same open file that bypasses the page cache. kUnsupported with the
  // reason where the file system has no O_DIRECT.
  virtual Result<std::unique_ptr<File>> reopen_direct() = 0;
  virtual DirectAlignment direct_alignment() const { return {}; }
  // "nfs", "cifs", ... when it lies on a file system of another machine; empty when it is local or
  // nobody knows.
  virtual std::string_view remote_file_system() const { return {}; }
  // The descriptor, for io_uring; -1 when there is none.
  virtual int descriptor() const { return -1; }
};

}  // namespace ingot::io
