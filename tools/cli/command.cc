#include "tools/cli/command.h"

#include <map>

#include "tools/cli/text.h"

namespace ingot::tools {

HelpFormatter::HelpFormatter() { column_width(32); }

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  const std::string type = option->get_type_name();
  std::string text = type.empty() ? "" : " " + type;
  if (option->get_positional() && option->get_expected_max() > 1) text += " ...";
  return text;
}

Command add_command(CLI::App& parent, const std::string& name, const std::string& description,
                    const std::string& examples) {
  Command command;
  command.app = parent.add_subcommand(name, description);
  command.app->footer("Examples:\n" + examples);
  command.common = std::make_shared<CommonOptions>();
  CommonOptions& common = *command.common;
  command.app->add_flag("--json", common.json, "Print one JSON object (docs/cli.md has its shape)");
  command.app->add_flag("-q,--quiet", common.quiet, "No notes and no progress bar");
  const std::map<std::string, ColorMode> modes = {
      {"auto", ColorMode::kAuto}, {"always", ColorMode::kAlways}, {"never", ColorMode::kNever}};
  command.app
      ->add_option_function<std::string>(
          "--color",
          [&common, modes](const std::string& mode) {
            const auto found = modes.find(mode);
            if (found == modes.end())
              throw CLI::ValidationError("--color", "not auto, always or never: " + mode);
            common.color = found->second;
          },
          "auto (on a terminal, unless NO_COLOR is set), always, never")
      ->type_name("WHEN");
  return command;
}

CLI::Option* add_size_option(CLI::App& app, const std::string& name, std::uint64_t& bytes,
                             const std::string& description) {
  return app
      .add_option_function<std::string>(
          name,
          [&bytes, name](const std::string& text) {
            const std::optional<std::uint64_t> parsed = parse_bytes(text);
            if (!parsed) throw CLI::ValidationError(name, "not a size like 64KiB or 5GB: " + text);
            bytes = *parsed;
          },
          description)
      ->type_name("SIZE");
}

}  // namespace ingot::tools
