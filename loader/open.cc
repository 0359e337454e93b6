// Checkpoint::open: length, header pages, index, digest table, padding; then the mapping.
#include <memory>
#include <utility>

#include "base/error.h"
#include "loader/checkpoint_state.h"
#include "loader/header_pages.h"
#include "loader/metadata.h"

namespace ingot {
namespace {

FileInfo describe(const format::Header& header, std::string path) {
  FileInfo info;
  info.path = std::move(path);
  info.format_major = header.major;
  info.format_minor = header.minor;
  info.required_features = header.required_features;
  info.optional_features = header.optional_features;
  info.file_bytes = header.file_bytes;
  info.data_begin = format::kDataBegin;
  info.data_end = header.data_end;
  info.index_bytes = header.index_bytes;
  info.digest_table_bytes = header.digests_bytes;
  info.chunk_bytes = header.chunk_bytes();
  info.alignment = header.alignment();
  info.uuid = header.uuid;
  info.save_id = header.save_id;
  info.root = header.root;
  if (header.has_sha256()) info.root_sha256 = header.root_sha256;
  return info;
}

}  // namespace

Result<Checkpoint> Checkpoint::open(std::string_view path, const OpenOptions& options) {
  auto state = std::make_shared<State>();
  state->file_system = &io::or_posix(options.file_system);
  INGOT_ASSIGN_OR_RETURN(state->file, state->file_system->open(path, io::Access::kRead));
  io::File& file = *state->file;
  INGOT_ASSIGN_OR_RETURN(state->opened, file.stat());

  INGOT_ASSIGN_OR_RETURN(const loader::HeaderPages pages,
                         loader::read_header_pages(file, state->opened));
  INGOT_ASSIGN_OR_RETURN(state->header, loader::check_header_pages(pages, path));
  state->header_page = pages.first;
  state->info = describe(state->header, std::string(path));

  INGOT_ASSIGN_OR_RETURN(loader::Metadata metadata,
                         loader::load_metadata(file, state->opened, state->header, options.limits));
  state->index_region = std::move(metadata.index);
  state->digest_region = std::move(metadata.digest_table);
  INGOT_RETURN_IF_ERROR(loader::check_data_padding(file, state->header));
  state->index = format::IndexView(state->index_bytes());

  // Views need the mapping; read(), verify() and streaming do without.
  Result<std::unique_ptr<io::Mapping>> mapping =
      file.map(0, state->header.file_bytes, io::MapMode::kReadOnly);
  if (mapping.ok()) {
    state->mapping = *std::move(mapping);
  } else {
    state->mapping_error = mapping.status();
  }
  return Checkpoint(std::move(state));
}

}  // namespace ingot
