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

// Copies the index and the padding after it, and checks digest, padding and every rule of the
// format. kCorrupt (digest, padding), kRejected (content, limits), kUnsupported, kIoError.
Result<io::AlignedBuffer> load_index(io::File& file, const format::Header& header,
                                     const Limits& limits);

// The same for the digest table, whose number of digests a valid index has confirmed.
Result<io::AlignedBuffer> load_digest_table(io::File& file, const format::Header& header);

// Checks that the bytes between data and digest table are zero.
Status check_data_padding(io::File& file, const format::Header& header);

}  // namespace ingot::loader
