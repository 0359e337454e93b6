// Interruption: SIGINT and SIGTERM ask the running operation to stop and clean up.
#pragma once

#include "ingot/progress.h"

namespace ingot::tools {

// Installs the handlers and ignores SIGPIPE and SIGXFSZ (a full pipe or quota is an error, not a
// death). The second SIGINT ends the process at once. Call it once, before threads.
void install_signal_handlers();

// Set when a signal arrived. Never destroyed.
const CancelFlag& cancel_flag();

// The signal that arrived, or 0.
int signal_received();

}  // namespace ingot::tools
