// Durable save: digests, data, fsync of file and folder. Ceiling: the same bytes written with
// O_DIRECT into a reserved file, and the same fsyncs.
#pragma once

#include <memory>

#include "bench/support/payload.h"

namespace ingot::bench {

void register_save_ingot(const std::shared_ptr<const Payload>& payload);
void register_save_ceiling(const std::shared_ptr<const Payload>& payload);
// write(2) and fsync: what most programs do.
void register_save_buffered(const std::shared_ptr<const Payload>& payload);

// Removes what the last iteration wrote and lets the file system settle, outside of all times.
void clear_output();
// Where the contenders write.
std::string save_path();

}  // namespace ingot::bench
