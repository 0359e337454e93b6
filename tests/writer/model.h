// Plans with content, and what a finished file must be, for the writer's tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/status.h"
#include "ingot/writer.h"

#include "base/bytes.h"
#include "io/memory_file_system.h"
#include "writer/session.h"

namespace ingot::testing {

using Content = std::vector<std::byte>;

// Bytes that follow from the seed alone.
Content pattern(std::uint64_t seed, std::size_t bytes);

// A plan and the bytes of each of its storages.
struct Model {
  WritePlan plan;
  std::vector<Content> content;  // by StorageId

  // Gives every storage that has none its bytes.
  void fill(std::uint64_t seed = 1);
};

// One of everything: large, middling, tiny, empty and 0-d tensors, tied and strided ones, a
// quantised one per channel, attachments, a state tree. About 3.5 MiB.
Model mixed_model();
// `count` tensors of `bytes` bytes each.
Model uniform_model(std::size_t count, std::size_t bytes);
// A file of exactly twelve pages. Different seeds: different bytes in every page but the index.
Model twelve_pages(std::uint64_t seed);

// Writes all storages in the order of the plan, whole.
Status write_all(Writer& writer, const Model& model);
Status write_all(writer::Session& session, const Model& model);

// Options that write to `file_system`.
WriterOptions options_on(io::FileSystem& file_system);
// create, write, commit.
Status save(std::string_view path, const Model& model, const WriterOptions& options);
// The bytes of a file that is saved with these options in a file system of its own, with O_DIRECT.
Content saved(const Model& model, WriterOptions options = {}, const writer::Tuning& tuning = {});

// Everything that a reader would check, by the format room's own means: headers, index (canonical
// form too), digest table, every chunk against `model`, padding.
Status check_file(Bytes file, const Model& model);

// The first difference, as text: for messages. Empty when equal.
std::string difference(Bytes a, Bytes b);

}  // namespace ingot::testing
