#include "tools/cli/threads.h"

#include "base/threads.h"

namespace ingot::tools {

int thread_count(int asked) { return asked > 0 ? asked : available_threads(); }

}  // namespace ingot::tools
