// What a command may show and how: standard output, notes, colours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ingot/status.h"

#include "tools/cli/output.h"

namespace ingot::tools {

enum class ColorMode : std::uint8_t { kAuto, kAlways, kNever };

// The options that every command has.
struct CommonOptions {
  bool json = false;
  bool quiet = false;
  ColorMode color = ColorMode::kAuto;
};

enum class Color : std::uint8_t { kBold, kDim, kRed, kGreen, kYellow, kCyan };

// Made once in main(). One thread.
class Console {
 public:
  explicit Console(const CommonOptions& options);

  Output& out() { return out_; }
  bool json() const { return options_.json; }
  bool quiet() const { return options_.quiet; }
  // Whether a progress bar may be drawn: standard error is a terminal and nobody asked for silence.
  bool shows_progress() const { return progress_; }
  // Columns of the terminal that standard output is, or 0: then nothing is ever cut.
  int columns() const { return columns_; }

  // Text for standard output, coloured when colours are on.
  std::string paint(Color color, std::string_view text) const;
  // One line on standard error, "ingot: note: ...": what the user should know of a success.
  void note(std::string_view text) const;
  // One line on standard error, "ingot: ...", and with --json an object on standard output.
  void fail(const Status& status);

 private:
  CommonOptions options_;
  Output out_;
  bool color_out_ = false;
  bool color_err_ = false;
  bool progress_ = false;
  int columns_ = 0;
};

}  // namespace ingot::tools
