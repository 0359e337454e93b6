#include "loader/transport_choice.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "loader/direct_file.h"
#include "loader/residency.h"

namespace ingot::loader {
namespace {

Status check_mapped(const Checkpoint::State& state, Transport asked) {
  if (state.mapping != nullptr) return {};
  return make_error(Code::kUnsupported,
                    "the transport " + std::string(transport_name(asked)) + " needs a mapped file")
      .file(state.path())
      .advice(state.mapping_error.message());
}

Result<TransportChoice> forced(const Checkpoint::State& state, Transport asked) {
  TransportChoice choice;
  choice.transport = asked;
  choice.reason = "asked for";
  if (asked == Transport::kPageCache || asked == Transport::kRegisteredMapping) {
    INGOT_RETURN_IF_ERROR(check_mapped(state, asked));
  }
  if (asked == Transport::kDirect || asked == Transport::kDeviceFile) {
    INGOT_ASSIGN_OR_RETURN(choice.direct, open_direct(state));
  }
  return {std::move(choice)};
}

// A mapped file of another machine may become shorter under us, which read(2) takes for an error.
TransportChoice warm(const Checkpoint::State& state, std::string reason, bool to_host) {
  TransportChoice choice;
  choice.reason = std::move(reason);
  const std::string_view remote = state.file->remote_file_system();
  choice.transport = to_host || !remote.empty() ? Transport::kRead : Transport::kPageCache;
  if (!to_host && !remote.empty()) choice.reason.append("; not mapped, on ").append(remote);
  return choice;
}

TransportChoice cold(const Checkpoint::State& state, std::string reason) {
  TransportChoice choice;
  choice.reason = std::move(reason);
  Result<std::unique_ptr<io::File>> direct = open_direct(state);
  if (direct.ok()) {
    choice.transport = Transport::kDirect;
    choice.direct = *std::move(direct);
  } else {
    choice.transport = Transport::kRead;
    choice.reason += "; no O_DIRECT: ";
    choice.reason += direct.status().message();
  }
  return choice;
}

}  // namespace

Result<TransportChoice> choose_transport(const Checkpoint::State& state, Transport asked,
                                         std::span<const Piece> pieces, bool to_host) {
  if (asked != Transport::kAuto) return forced(state, asked);
  std::uint64_t begin = ~std::uint64_t{0};
  std::uint64_t end = 0;
  for (const Piece& piece : pieces) {
    begin = std::min(begin, piece.source);
    end = std::max(end, piece.source_end());
  }
  TransportChoice read;
  read.transport = Transport::kRead;
  if (begin >= end || end - begin < kSmallBytes) {
    read.reason = "less than " + human_bytes(kSmallBytes);
    return {std::move(read)};
  }
  const std::optional<Residency> residency = residency_of(state, begin, end);
  if (!residency) {
    read.reason = "what of it is in memory is not known: ";
    read.reason += state.mapping == nullptr ? "the file is not mapped"
                                            : "the kernel tells owners and writers alone";
    return {std::move(read)};
  }
  if (residency->warm()) return warm(state, residency->text(), to_host);
  return cold(state, residency->text());
}

}  // namespace ingot::loader
