// Ingot's ways to look into a file without loading it, as bench_compare's commands. Each does the
// same with the file TINY before its clock starts: the first call of a library in a process pays
// for page faults in its code. Closing the file is not in the time, as it is not in the peers'.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/support/commands.h"

namespace ingot::bench {

// FILE TINY: opened and validated.
nlohmann::json open_file(const Arguments& in);
// FILE TINY: ... and every tensor's name, dtype and shape looked at.
nlohmann::json describe_file(const Arguments& in);
// FILE TINY NAME TINY_NAME: ... and the bytes of one tensor summed.
nlohmann::json read_one(const Arguments& in);
// FILE TINY: ... and a view of every tensor; no data is read.
nlohmann::json view_file(const Arguments& in);
// FILE TINY: ... and every byte of the file hashed and compared.
nlohmann::json verify_file(const Arguments& in);

}  // namespace ingot::bench
