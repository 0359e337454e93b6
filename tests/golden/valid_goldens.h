// The content of the valid golden files: one function a file, each showing one thing of the format.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ingot/status.h"
#include "ingot/writer.h"

namespace ingot::golden {

struct ValidGolden {
  std::string name;  // file name without extension
  std::string why;   // what it shows, for the manifest
  std::function<Status(const std::string& path)> write;
};

std::vector<ValidGolden> valid_goldens();

}  // namespace ingot::golden
