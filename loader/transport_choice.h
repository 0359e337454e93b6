// Which transport a load takes, and why.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "ingot/stream.h"

#include "io/file.h"
#include "loader/checkpoint_state.h"
#include "loader/load_pieces.h"

namespace ingot::loader {

struct TransportChoice {
  Transport transport = Transport::kRead;
  std::string reason;
  std::unique_ptr<io::File> direct;  // kDirect, kDeviceFile
};

// `asked`, or for kAuto what residency and file system speak for. kUnsupported, with the reason,
// when what was asked for cannot be had. `to_host`: every destination is written by the processor.
Result<TransportChoice> choose_transport(const Checkpoint::State& state, Transport asked,
                                         std::span<const Piece> pieces, bool to_host);

}  // namespace ingot::loader
