#include "tools/inspect/optimizers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "tools/cli/json.h"
#include "tools/cli/text.h"
#include "tools/convert/state_keys.h"
#include "tools/inspect/state_text.h"
#include "tools/safetensors/text.h"

namespace ingot::tools {
namespace {

// Names of the state tree may hold anything; a terminal gets them in quotes then.
std::string plain(std::string_view text) {
  if (!text.empty() && is_printable_utf8(text)) return std::string(text);
  return safetensors::in_quotes(text);
}

bool is_container(StateKind kind) {
  return kind == StateKind::kList || kind == StateKind::kTuple || kind == StateKind::kDict;
}

// "(0.9, 0.999)": short sequences of scalars in full, on one line.
std::string option_text(const Checkpoint& checkpoint, const StateView& value) {
  constexpr std::uint32_t kShown = 8;
  const bool is_tuple = value.kind() == StateKind::kTuple;
  if ((!is_tuple && value.kind() != StateKind::kList) || value.size() > kShown) {
    return value_text(checkpoint, value);
  }
  std::string items;
  for (auto item = value.first_child(); item; item = item->next_sibling()) {
    if (is_container(item->kind())) return value_text(checkpoint, value);
    if (!items.empty()) items += ", ";
    items += value_text(checkpoint, *item);
  }
  return is_tuple ? "(" + items + ")" : "[" + items + "]";
}

std::string group_text(const Checkpoint& checkpoint, const OptimizerGroup& group) {
  std::string text = counted(group.members.size(), "member");
  std::string_view separator = ": ";
  for (const auto& [name, value] : group.options) {
    text.append(separator).append(plain(name)).append(" ").append(option_text(checkpoint, value));
    separator = ", ";
  }
  return text;
}

std::string entries_text(const OptimizerMember& member) {
  if (member.entries.empty()) return "none";
  std::vector<std::string> names;
  for (const std::string_view name : member.entries) names.push_back(plain(name));
  return fmt::format("{}", fmt::join(names, ", "));
}

void print_members(const OptimizerInfo& optimizer, Console& console) {
  // Group and member of each row.
  std::vector<std::pair<std::size_t, const OptimizerMember*>> rows;
  for (std::size_t g = 0; g < optimizer.groups.size(); ++g) {
    for (const OptimizerMember& member : optimizer.groups[g].members) rows.emplace_back(g, &member);
  }
  if (rows.empty()) return;
  constexpr std::array kColumns = {Column{.title = "  index", .right = true},
                                   Column{.title = "group", .right = true},
                                   Column{.title = "name", .elastic = true},
                                   Column{.title = "shape"},
                                   Column{.title = "flags"},
                                   Column{.title = "state"}};
  console.out().write("\n");
  print_table(console, kColumns, rows.size(), [&](std::uint64_t i) {
    const auto& [group, member] = rows[static_cast<std::size_t>(i)];
    return std::vector<std::string>{std::to_string(member->index),
                                    std::to_string(group),
                                    std::string(member->name),
                                    member->shape ? shape_text(*member->shape) : "unknown",
                                    member->requires_grad.value_or(true) ? "" : "frozen",
                                    entries_text(*member)};
  });
}

Json member_to_json(const OptimizerMember& member) {
  Json json{{"index", member.index},
            {"name", member.name},
            {"shape", nullptr},
            {"requires_grad", nullptr},
            {"state", member.entries}};
  if (member.shape) json["shape"] = *member.shape;
  if (member.requires_grad) json["requires_grad"] = *member.requires_grad;
  return json;
}

void write_group_json(const Checkpoint& checkpoint, const OptimizerGroup& group, Output& out) {
  out.write("{\"options\":{");
  std::string_view separator;
  for (const auto& [name, value] : group.options) {
    out.print("{}{}:{}", separator, to_text(Json(name)),
              to_text(state_to_json(copy_state(checkpoint, value))));
    separator = ",";
  }
  out.write("},\"members\":[");
  separator = {};
  for (const OptimizerMember& member : group.members) {
    out.write(separator);
    out.write(to_text(member_to_json(member)));
    separator = ",";
  }
  out.write("]}");
}

}  // namespace

void print_optimizers(const Checkpoint& checkpoint, const std::vector<OptimizerInfo>& optimizers,
                      Console& console) {
  Output& out = console.out();
  if (optimizers.empty()) out.write("no optimizer\n");
  bool first = true;
  for (const OptimizerInfo& optimizer : optimizers) {
    if (!first) out.write("\n");
    first = false;
    const std::string title = fmt::format(
        "{}: {}, {}, {}", plain(optimizer.name), plain(optimizer.class_name),
        counted(optimizer.groups.size(), "group"), counted(optimizer.member_count(), "member"));
    out.print("{}\n", console.paint(Color::kBold, title));
    for (std::size_t g = 0; g < optimizer.groups.size(); ++g) {
      out.print("  group {}, {}\n", g, group_text(checkpoint, optimizer.groups[g]));
    }
    print_members(optimizer, console);
  }
}

void write_optimizers_json(const Checkpoint& checkpoint,
                           const std::vector<OptimizerInfo>& optimizers, Output& out) {
  out.print("{{\"path\":{},\"optimizers\":[", to_text(Json(checkpoint.file().path)));
  std::string_view between_optimizers;
  for (const OptimizerInfo& optimizer : optimizers) {
    out.print("{}{{\"name\":{},\"class\":{},\"groups\":[", between_optimizers,
              to_text(Json(optimizer.name)), to_text(Json(optimizer.class_name)));
    between_optimizers = ",";
    std::string_view between_groups;
    for (const OptimizerGroup& group : optimizer.groups) {
      out.write(between_groups);
      write_group_json(checkpoint, group, out);
      between_groups = ",";
    }
    out.write("]}");
  }
  out.write("]}\n");
}

}  // namespace ingot::tools
