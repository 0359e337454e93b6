// A program outside of Ingot's tree: writes a checkpoint, opens it, verifies it, prints it.
// Built against the installed package and, once more, with add_subdirectory().
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "ingot/exceptions.h"
#include "ingot/ingot.h"

namespace {

void save(const std::string& path) {
  ingot::WritePlan plan;
  auto weight = plan.add({.name = "linear.weight",
                          .dtype = ingot::DType::kFloat32,
                          .shape = {4, 8},
                          .requires_grad = true});
  auto steps = plan.add(
      {.name = "steps", .dtype = ingot::DType::kInt64, .shape = {}, .role = ingot::Role::kBuffer});
  ingot::StateValue state = ingot::StateValue::dict();
  state.set("epoch", ingot::StateValue::integer(3));
  plan.set_state(std::move(state));

  const std::vector<float> weights(32, 0.25F);
  const std::int64_t step_count = 1000;
  auto writer = ingot::or_throw(ingot::Writer::create(path, plan));
  ingot::or_throw(writer.write(weight, std::as_bytes(std::span(weights))));
  ingot::or_throw(writer.write(steps, std::as_bytes(std::span(&step_count, 1))));
  ingot::or_throw(writer.commit());
}

void print(const std::string& path) {
  const auto checkpoint = ingot::or_throw(ingot::Checkpoint::open(path));
  const auto report = ingot::or_throw(ingot::verify(checkpoint));
  checkpoint.for_each({}, [](const ingot::TensorInfo& tensor) {
    std::printf("%.*s: %s, %llu elements\n", static_cast<int>(tensor.name.size()),
                tensor.name.data(), std::string(ingot::dtype_name(tensor.dtype)).c_str(),
                static_cast<unsigned long long>(tensor.numel()));
  });
  const auto epoch = checkpoint.state()->find("epoch");
  std::printf("epoch %lld, %s\n", static_cast<long long>(epoch->as_int64()),
              report.intact() ? "intact" : "damaged");
  if (!report.intact()) throw ingot::Error(report.errors.front());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "consumer.ingot";
  try {
    save(path);
    print(path);
  } catch (const ingot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return ingot::exit_code(error.status().code());
  }
  return 0;
}
