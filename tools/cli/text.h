// Numbers and tables for people, sizes from people.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/console.h"

namespace ingot::tools {

// "4096", "64KiB", "5GB" (decimal, as the Hugging Face tools count), "1.5GiB"; nullopt otherwise.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

// "1 tensor", "2 tensors".
std::string counted(std::uint64_t number, std::string_view noun);

// "[2, 3]"; "[]" for a 0-d tensor.
std::string shape_text(std::span<const std::int64_t> shape);

struct Column {
  std::string_view title;
  bool right = false;    // aligned to the right: numbers
  bool elastic = false;  // may be cut in the middle to fit a terminal; never when piped
};

// Calls row(i) for each of `rows` twice: once for the widths, once to print, so that nothing is
// held. Rows have one cell a column, and cells are shown printable().
void print_table(Console& console, std::span<const Column> columns, std::uint64_t rows,
                 const std::function<std::vector<std::string>(std::uint64_t)>& row);

}  // namespace ingot::tools
