#include "tools/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/printable.h"
#include "tools/cli/json.h"

namespace ingot::tools {
namespace {

// https://no-color.org: set and not empty.
bool color_allowed(ColorMode mode, int descriptor) {
  if (mode != ColorMode::kAuto) return mode == ColorMode::kAlways;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

std::string_view escape_of(Color color) {
  switch (color) {
    case Color::kBold:
      return "\x1b[1m";
    case Color::kDim:
      return "\x1b[2m";
    case Color::kRed:
      return "\x1b[31m";
    case Color::kGreen:
      return "\x1b[32m";
    case Color::kYellow:
      return "\x1b[33m";
    case Color::kCyan:
      return "\x1b[36m";
  }
  return "";
}

std::string painted(bool enabled, Color color, std::string_view text) {
  if (!enabled) return std::string(text);
  return std::string(escape_of(color)).append(text).append("\x1b[0m");
}

int terminal_columns(int descriptor) {
  winsize size{};
  if (::isatty(descriptor) != 1 || ::ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace

Console::Console(const CommonOptions& options)
    : options_(options),
      out_(STDOUT_FILENO),
      color_out_(!options.json && color_allowed(options.color, STDOUT_FILENO)),
      color_err_(color_allowed(options.color, STDERR_FILENO)),
      progress_(!options.json && !options.quiet && ::isatty(STDERR_FILENO) == 1),
      columns_(terminal_columns(STDOUT_FILENO)) {}

std::string Console::paint(Color color, std::string_view text) const {
  return painted(color_out_, color, text);
}

void Console::note(std::string_view text) const {
  if (options_.quiet) return;
  (void)write_fully(STDERR_FILENO, "ingot: " + painted(color_err_, Color::kYellow, "note:") + " " +
                                       printable(text) + "\n");
}

void Console::fail(const Status& status) {
  // What was printed before comes first.
  (void)out_.flush();
  (void)write_fully(STDERR_FILENO, painted(color_err_, Color::kRed, "ingot:") + " " +
                                       printable(status.to_string()) + "\n");
  if (options_.json) {
    out_.write(to_line(Json{{"ok", false}, {"error", error_to_json(status)}}));
  }
}

}  // namespace ingot::tools
