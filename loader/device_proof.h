// Hashes what arrived in a device's memory, and compares it with the digests of the file.
#pragma once

#include <cstdint>

#include "loader/stream_job.h"

namespace ingot::loader {

// Whether every chunk of a transfer arrives in one piece, wherever it goes, on devices that can
// hash: it is then proven in each of these places.
bool arrives_whole(const Transfer& transfer, const StreamJob& job);

// Of all transfers of which that holds. REQUIRES: all copies have arrived. Damage goes to the job's
// errors; other failures are returned. Adds the bytes to *verified.
Status prove_on_device(StreamJob& job, std::uint64_t* verified);

}  // namespace ingot::loader
