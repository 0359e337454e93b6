// Texts of load reports.
#pragma once

#include <string>
#include <vector>

#include "ingot/libtorch.h"

namespace ingot::libtorch {

// "group 0: lr 0.001 -> 0.01" for each option that differs.
void note_changes(const StateValue& before, const StateValue& after, const std::string& where,
                  std::vector<std::string>* notes);

}  // namespace ingot::libtorch
