// The quick start of README.md, word for word, and a main() that runs it in the current folder.
#include <array>
#include <cstdio>
#include <span>

#include "ingot/ingot.h"

ingot::Status quick_start() {
  // Write: first what there will be, then the bytes, tensor by tensor.
  ingot::WritePlan plan;
  auto embed = plan.add({.name = "embed.weight", .dtype = ingot::DType::kFloat32, .shape = {2, 3}});
  const std::array<float, 6> values = {1, 2, 3, 4, 5, 6};
  INGOT_ASSIGN_OR_RETURN(auto writer, ingot::Writer::create("quickstart.ingot", plan));
  INGOT_RETURN_IF_ERROR(writer.write(embed, std::as_bytes(std::span(values))));
  INGOT_RETURN_IF_ERROR(writer.commit());  // nothing exists under that name before this returns

  // Read: map, look up, prove.
  INGOT_ASSIGN_OR_RETURN(auto checkpoint, ingot::Checkpoint::open("quickstart.ingot"));
  INGOT_ASSIGN_OR_RETURN(auto weight, checkpoint.tensor("embed.weight"));  // a view, no copy
  INGOT_ASSIGN_OR_RETURN(auto report, ingot::verify(checkpoint));
  std::printf("%zu bytes of embed.weight, %s\n", weight.bytes.size(),
              report.intact() ? "intact" : "damaged");
  return ingot::ok_status();
}

int main() {
  const ingot::Status status = quick_start();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  return ingot::exit_code(status.code());
}
