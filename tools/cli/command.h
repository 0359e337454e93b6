// One subcommand of `ingot`, as main() knows it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ingot/status.h"

#include "tools/cli/console.h"

namespace ingot::tools {

// `run` returns the exit code; an error is reported by main().
struct Command {
  CLI::App* app = nullptr;  // owned by the parent
  std::shared_ptr<CommonOptions> common;
  std::function<Result<int>(Console&)> run;
};

// Help as CLI11 prints it, without what each option excludes or needs: errors say that.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_option_opts(const CLI::Option* option) const override;
};

// A subcommand with the options that all have. `examples` are lines of "command   what it does".
Command add_command(CLI::App& parent, const std::string& name, const std::string& description,
                    const std::string& examples);

// An option that takes a size in bytes ("64KiB", "5GB", "4096").
CLI::Option* add_size_option(CLI::App& app, const std::string& name, std::uint64_t& bytes,
                             const std::string& description);

// Commands, one file each in tools/commands.
Command add_inspect(CLI::App& parent);
Command add_verify(CLI::App& parent);
Command add_convert(CLI::App& parent);
Command add_diff(CLI::App& parent);
Command add_extract(CLI::App& parent);
Command add_repair(CLI::App& parent);
Command add_bench(CLI::App& parent);

}  // namespace ingot::tools
