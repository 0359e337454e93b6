// An input file that is made when a benchmark first asks for it: what is only listed, or left out
// by a filter, makes none.
#pragma once

#include <string>
#include <utility>

#include "bench/support/files.h"
#include "bench/support/page_cache.h"

namespace ingot::bench {

class Input {
 public:
  explicit Input(Shape shape) : shape_(std::move(shape)) {}

  const std::string& path() {
    if (path_.empty()) {
      path_ = ingot_file(shape_);
      shape_ = {};  // the names of a million tensors take memory
    }
    return path_;
  }

  // The same, brought to the page cache by reading, once in a process, whoever wrote it: all
  // contenders of a round find the same pages in the same places, those of the next round others. A
  // benchmark that needs it there proves it before it measures.
  const std::string& warm_path() {
    if (!std::exchange(warmed_, true)) make_warm_anew(path());
    return path_;
  }

 private:
  Shape shape_;
  std::string path_;
  bool warmed_ = false;
};

}  // namespace ingot::bench
