#include "tools/cli/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/printable.h"

namespace ingot::tools {
namespace {

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr std::array kUnits = {Unit{"", 1},
                               Unit{"B", 1},
                               Unit{"KB", 1e3},
                               Unit{"MB", 1e6},
                               Unit{"GB", 1e9},
                               Unit{"TB", 1e12},
                               Unit{"KiB", 1024},
                               Unit{"MiB", 1024.0 * 1024},
                               Unit{"GiB", 1024.0 * 1024 * 1024},
                               Unit{"TiB", 1024.0 * 1024 * 1024 * 1024}};

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// Characters, for aligning: code points, which is right for all but wide scripts.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

// The first `count` characters, or the last ones.
std::string_view head(std::string_view text, std::size_t count) {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (begins_character(text[i]) && count-- == 0) break;
  }
  return text.substr(0, i);
}
std::string_view tail(std::string_view text, std::size_t count) {
  std::size_t i = text.size();
  while (i > 0 && count > 0) {
    if (begins_character(text[--i])) --count;
  }
  return text.substr(i);
}

std::string cut(std::string_view text, std::size_t width) {
  if (width_of(text) <= width || width < 3) return std::string(text);
  const std::size_t kept = width - 1;
  return std::string(head(text, kept / 2)).append("…").append(tail(text, kept - kept / 2));
}

std::string padded(std::string_view text, std::size_t width, bool right) {
  const std::size_t have = width_of(text);
  const std::string spaces(width > have ? width - have : 0, ' ');
  return right ? spaces + std::string(text) : std::string(text) + spaces;
}

// Narrows the elastic column when the table is wider than the terminal.
void fit(std::span<const Column> columns, int terminal, std::vector<std::size_t>& widths) {
  if (terminal <= 0) return;
  constexpr std::size_t kNarrowest = 16;
  std::size_t total = 2 * (widths.size() - 1);
  for (const std::size_t width : widths) total += width;
  const auto available = static_cast<std::size_t>(terminal);
  if (total <= available) return;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i].elastic) continue;
    const std::size_t excess = total - available;
    widths[i] = std::max(kNarrowest, widths[i] > excess ? widths[i] - excess : 0);
    return;
  }
}

}  // namespace

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || number < 0) return std::nullopt;
  const std::string_view unit_name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto* unit = std::find_if(kUnits.begin(), kUnits.end(),
                                  [&](const Unit& u) { return u.name == unit_name; });
  if (unit == kUnits.end()) return std::nullopt;
  const double bytes = number * unit->bytes;
  if (!(bytes < 9.2e18) || bytes != std::floor(bytes)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

void print_table(Console& console, std::span<const Column> columns, std::uint64_t rows,
                 const std::function<std::vector<std::string>(std::uint64_t)>& row_of) {
  const auto row = [&](std::uint64_t i) {
    std::vector<std::string> cells = row_of(i);
    for (std::string& cell : cells) cell = printable(cell);
    return cells;
  };
  std::vector<std::size_t> widths;
  for (const Column& column : columns) widths.push_back(width_of(column.title));
  for (std::uint64_t i = 0; i < rows; ++i) {
    const std::vector<std::string> cells = row(i);
    for (std::size_t c = 0; c < cells.size(); ++c) {
      widths[c] = std::max(widths[c], width_of(cells[c]));
    }
  }
  fit(columns, console.columns(), widths);

  const auto line = [&](const auto& cells) {
    std::string text;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string cell =
          columns[c].elastic ? cut(cells[c], widths[c]) : std::string(cells[c]);
      text += padded(cell, widths[c], columns[c].right);
      if (c + 1 < columns.size()) text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::vector<std::string_view> titles;
  for (const Column& column : columns) titles.push_back(column.title);
  console.out().write(console.paint(Color::kBold, line(titles)) + "\n");
  for (std::uint64_t i = 0; i < rows; ++i) console.out().write(line(row(i)) + "\n");
}

}  // namespace ingot::tools
