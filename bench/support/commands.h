// The main() of a program that a driver starts again and again: a command, its arguments, and a
// line of JSON that comes out.
#pragma once

#include <cstdio>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ingot::bench {

using Arguments = std::vector<std::string>;
using Commands = std::map<std::string, nlohmann::json (*)(const Arguments&)>;

// The exit code. `source` is where the usage is written down.
inline int run_command(int argc, char** argv, const Commands& commands, const char* source) {
  Arguments arguments(argv + 1, argv + argc);
  const auto command = arguments.empty() ? commands.end() : commands.find(arguments.front());
  if (command == commands.end()) {
    std::fprintf(stderr, "usage: see the top of %s\n", source);
    return 64;
  }
  try {
    arguments.erase(arguments.begin());
    std::printf("%s\n", command->second(arguments).dump().c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace ingot::bench
