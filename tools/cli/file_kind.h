// What kind of file a path names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ingot/checkpoint.h"
#include "ingot/status.h"

namespace ingot::tools {

enum class FileKind : std::uint8_t {
  kIngot,
  kSafetensors,  // a file, a shard index or a folder
  kUnknown,      // cannot be read, or is neither
};

// By content, and by name where that says nothing. Never fails: opening will.
FileKind kind_of(const std::string& path);

// Opens an Ingot file; for a .safetensors file the error says how to make one of it.
Result<Checkpoint> open_checkpoint(const std::string& path);

}  // namespace ingot::tools
