// Makes the table of names of a mutated index match its tensors again: otherwise rule F-72 would
// refuse nearly every index whose names were touched, and nothing behind it would be reached.
#pragma once

#include "base/bytes.h"

namespace ingot::fuzz {

// Rewrites name_hashes and name_tensors in place. Leaves alone what is no FlatBuffer of an index,
// and an index whose tables have not as many entries as it has tensors.
void fix_names(MutableBytes index);

}  // namespace ingot::fuzz
