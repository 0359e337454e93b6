// Everything that a user can get wrong in a plan, found before a file exists.
#pragma once

#include <string_view>
#include <vector>

#include "ingot/status.h"
#include "ingot/writer.h"

#include "format/name_table.h"

namespace ingot::writer {

// The table of the tensors' names, which the index holds, or kInvalidArgument naming the tensor or
// attachment and the rule. `path` is for messages. Whether every storage is used, and the state
// tree, are checked where they are walked anyway (plan_layout.h, format::encode_index()).
Result<std::vector<format::NameHash>> check_plan(const WritePlan& plan, std::string_view path);

// kInvalidArgument for numbers outside of their documented ranges.
Status check_options(const WriterOptions& options, std::string_view path);

// Bounds of WriterOptions::staging_bytes and ::threads.
inline constexpr std::uint64_t kMinStagingBytes = std::uint64_t{128} << 10;
inline constexpr int kMaxThreads = 1024;

}  // namespace ingot::writer
