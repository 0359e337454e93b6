#include "bench/training/contenders.h"

#include <fcntl.h>
#include <unistd.h>

#include <map>

#include "bench/support/descriptor.h"

namespace ingot::bench {
namespace {

void save_ingot(TrainingRun& run, const std::string& path) { libtorch::save(path, run.state()); }
void resume_ingot(TrainingRun& run, const std::string& path) { libtorch::load(path, run.state()); }

// Of the file and its folder, as Ingot's commit does.
void sync_file(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  for (const std::string& name : {path, folder.empty() ? std::string(".") : folder}) {
    const Descriptor descriptor(name, O_RDONLY);
    if (fsync(descriptor.get()) != 0) throw_errno("fsync " + name);
  }
}

// Always with a CRC-32 of every record: an OutputArchive cannot be told to leave it out, as
// torch.serialization.set_crc32_options() in Python can.
void save_torch(TrainingRun& run, const std::string& path) {
  torch::serialize::OutputArchive all;
  torch::serialize::OutputArchive model(all.compilation_unit());
  torch::serialize::OutputArchive adam(all.compilation_unit());
  run.model()->save(model);
  run.adam().save(adam);
  all.write("model", model);
  all.write("adam", adam);
  all.save_to(path);
  sync_file(path);
}

void resume_torch(TrainingRun& run, const std::string& path) {
  torch::serialize::InputArchive all;
  torch::serialize::InputArchive model;
  torch::serialize::InputArchive adam;
  all.load_from(path);
  all.read("model", model);
  all.read("adam", adam);
  run.model()->load(model);
  run.adam().load(adam);
}

}  // namespace

const Contender& contender_named(const std::string& name) {
  static const std::map<std::string, Contender> contenders = {
      {"ingot", {save_ingot, resume_ingot}}, {"torch-cpp", {save_torch, resume_torch}}};
  return contenders.at(name);
}

}  // namespace ingot::bench
