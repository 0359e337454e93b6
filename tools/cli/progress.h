// A progress bar on standard error, where there is a terminal to draw it on.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "ingot/progress.h"

#include "tools/cli/console.h"

namespace ingot::tools {

// Appears when the work has taken a moment, and is finished when this object goes. Without barkeep
// (build time) or without a terminal it does nothing.
class Progress {
 public:
  Progress(const Console& console, std::string_view what);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  // For the library. From one thread at a time.
  ProgressCallback callback();
  void update(std::uint64_t done_bytes, std::uint64_t total_bytes);

 private:
  struct Bar;
  std::unique_ptr<Bar> bar_;
};

}  // namespace ingot::tools
