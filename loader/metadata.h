// Index and digest table on their way into private memory: copied, then hashed, then used, so that
// nobody can change them between the check and the use.
#pragma once

#include <string_view>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

#include "format/header.h"
#include "io/aligned_buffer.h"
#include "io/file.h"

namespace ingot::loader {

struct Metadata {
  io::AlignedBuffer index;         // begins with the index
  io::AlignedBuffer digest_table;  // begins with the digest table
};

// Copies both and the padding after each, and checks digests, padding and every rule of the format.
// kCorrupt (digest, padding), kRejected (content, limits), kUnsupported, kIoError. Large ones are
// hashed and validated at once, on two threads; which error is returned does not depend on them.
// Allocates nothing before lengths are within `limits`; `opened` is the file's stat.
Result<Metadata> load_metadata(io::File& file, const io::FileStat& opened,
                               const format::Header& header, const Limits& limits);

// Checks that the bytes between data and digest table are zero.
Status check_data_padding(io::File& file, const format::Header& header);

}  // namespace ingot::loader
