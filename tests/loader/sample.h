// Checkpoints for the loader's tests: a plan, and bytes that follow from a storage's number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/writer.h"

namespace ingot::testing {

using Blob = std::vector<std::byte>;

// Bytes that differ everywhere; the same for the same seed.
Blob noise(std::uint64_t bytes, std::uint64_t seed);

// What the writer is given for a storage by write_sample().
Blob storage_content(const WritePlan& plan, StorageId storage);
// Part of it that a tensor describes. REQUIRES: the plan has a tensor of that name.
Blob tensor_content(const WritePlan& plan, const TensorInfo& tensor);

// Small chunks, no fsync.
WriterOptions quick_options();

Status write_sample(const std::string& path, const WritePlan& plan,
                    const WriterOptions& options = quick_options());

// Several tensors of every role, tied, strided, quantised, 0-d and empty ones, large enough for
// several chunks, padding between them, attachments and a state tree.
WritePlan mixed_plan();

// Files as blobs.
Blob read_file(const std::string& path);
void write_file(const std::string& path, std::span<const std::byte> content);
// Changes one byte of a file in place.
void flip_bit(const std::string& path, std::uint64_t offset, int bit = 0);

// File offset of a tensor's first byte.
std::uint64_t offset_of(const Checkpoint& checkpoint, const TensorInfo& tensor);

}  // namespace ingot::testing
