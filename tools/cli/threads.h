// How many threads a command uses.
#pragma once

namespace ingot::tools {

// `asked`, or, when it is 0, as many as the process may run on.
int thread_count(int asked);

}  // namespace ingot::tools
