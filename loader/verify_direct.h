// Verification past the page cache: many O_DIRECT reads in flight, hashed in file order.
#pragma once

#include <string>

#include "ingot/status.h"

#include "io/file.h"
#include "loader/verify_job.h"

namespace ingot::loader {

// Takes units until there are none, one thread's share. `direct` is shared by all threads. Says in
// `how` what carried the reads out.
Status verify_units_direct(VerifyJob& job, io::File& direct, int threads, std::string* how);

}  // namespace ingot::loader
