// Prints the optimizers of a checkpoint: groups, options, members and their state. Needs no
// LibTorch: the file says it all. (`ingot inspect --optimizer` is the finished tool.)
//
//   inspect_optimizer FILE
#include <iostream>

#include "ingot/exceptions.h"
#include "ingot/optimizer.h"

void print_value(const ingot::StateView& value) {
  switch (value.kind()) {
    case ingot::StateKind::kBool:
      std::cout << (value.as_bool() ? "true" : "false");
      return;
    case ingot::StateKind::kInt64:
      std::cout << value.as_int64();
      return;
    case ingot::StateKind::kFloat64:
      std::cout << value.as_float64();
      return;
    case ingot::StateKind::kList:
    case ingot::StateKind::kTuple:
      for (auto item = value.first_child(); item; item = item->next_sibling()) {
        std::cout << ' ';
        print_value(*item);
      }
      return;
    default:
      std::cout << ingot::state_kind_name(value.kind());
  }
}

void print_member(const ingot::OptimizerMember& member) {
  std::cout << "    " << member.index << "  " << member.name << " [";
  if (member.shape) {
    for (const std::int64_t extent : *member.shape) std::cout << ' ' << extent;
  }
  std::cout << " ]" << (member.requires_grad.value_or(true) ? "" : " frozen") << " :";
  for (const std::string_view entry : member.entries) std::cout << ' ' << entry;
  std::cout << '\n';
}

void print_optimizers(const ingot::Checkpoint& checkpoint) {
  for (const auto& optimizer : ingot::or_throw(ingot::optimizers(checkpoint))) {
    std::cout << optimizer.name << ": " << optimizer.class_name << ", " << optimizer.member_count()
              << " parameters\n";
    for (const auto& group : optimizer.groups) {
      std::cout << "  group:";
      for (const auto& [name, value] : group.options) {
        std::cout << ' ' << name << '=';
        print_value(value);
      }
      std::cout << '\n';
      for (const auto& member : group.members) print_member(member);
    }
  }
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: inspect_optimizer FILE\n";
    return 64;
  }
  try {
    print_optimizers(ingot::or_throw(ingot::Checkpoint::open(argv[1])));
  } catch (const ingot::Error& error) {
    std::cerr << error.what() << '\n';
    return ingot::exit_code(error.status().code());
  }
  return 0;
}
