// Saving and resuming a training run (a model and its Adam state) with Ingot and with torch::save:
// bench/training_run.py starts it in a fresh process for every measurement. A line of JSON comes
// out; times are taken inside, around the call.
//
//   bench_training save|resume ingot|torch-cpp MIB FILE   MIB: of parameters and moments together
//   bench_training warm FILE...           puts them out of the page cache and in again, proves it
//   bench_training write-ceiling MIB FILE FIRST   the same bytes by O_DIRECT, with fsync, in six
//       ways one after another, beginning with the FIRSTth
//   bench_training proven-write MIB FILE                  the same, each block hashed, copied and
//       hashed first, by plain code
//   bench_training copy-ceiling MIB                       the same bytes from memory to memory
//   bench_training fresh-memory MIB                       memory for the moments, touched
//   bench_training stall cpu|cuda:N host|device MIB FILE    how long save_async() holds up the
//       training, beside a copy of the same bytes to pinned memory (on a CPU: to memory that is
//       there)
//
// A save writes FILE.total, one number of all that it saved, outside of the time; a resume begins
// with zeros, and what does not end with the same number is an error. Who is measured saves and
// resumes a tiny run before, FILE.tiny.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "bench/support/commands.h"
#include "bench/support/descriptor.h"
#include "bench/support/page_cache.h"
#include "bench/training/ceilings.h"
#include "bench/training/contenders.h"
#include "bench/training/measured.h"
#include "bench/training/stall.h"
#include "bench/training/training_run.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

// The first call into a library in a process pays for page faults in its code. What is freed here
// is taken again by the run that is made next, not by the call that is measured.
void warm_up(const Contender& contender, const std::string& path) {
  const std::string tiny = path + ".tiny";
  TrainingRun run(0);
  run.make_moments();
  contender.save(run, tiny);
  contender.resume(run, tiny);
  std::filesystem::remove(tiny);
  ::sync();  // the next fsync must not pay for this file
}

json save(const Arguments& in) {
  const Contender& contender = contender_named(in.at(0));
  const std::uint64_t mib = std::stoull(in.at(1));
  const std::string& path = in.at(2);
  warm_up(contender, path);
  TrainingRun run(mib);
  run.make_moments();
  json out = measured(bytes_in(mib), [&] { contender.save(run, path); });
  std::ofstream total(path + ".total");
  total << run.total() << std::flush;
  if (!total) throw_errno("writing " + path + ".total");
  return out;
}

json resume(const Arguments& in) {
  const Contender& contender = contender_named(in.at(0));
  const std::uint64_t mib = std::stoull(in.at(1));
  const std::string& path = in.at(2);
  warm_up(contender, path);
  TrainingRun run(mib);
  run.zero_parameters();
  json out = measured(bytes_in(mib), [&] { contender.resume(run, path); });
  std::string saved;
  std::ifstream(path + ".total") >> saved;
  if (run.total() != saved) throw std::runtime_error("what was resumed is not what was saved");
  return out;
}

json warm(const Arguments& in) {
  json files = json::object();
  for (const std::string& path : in) files[path] = make_warm_anew(path);
  return files;
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  using namespace ingot::bench;
  return run_command(argc, argv,
                     {{"save", save},
                      {"resume", resume},
                      {"warm", warm},
                      {"write-ceiling", write_ceilings},
                      {"proven-write", proven_write},
                      {"copy-ceiling", copy_ceiling},
                      {"fresh-memory", fresh_memory},
                      {"stall", stall}},
                     "bench/training/main.cc");
}
