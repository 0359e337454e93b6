#include "tools/inspect/plan.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "tools/cli/json.h"
#include "tools/cli/text.h"

namespace ingot::tools {

void print_plan(const StreamPreview& preview, Console& console) {
  Output& out = console.out();
  out.print("{}, {} read, {}\n", human_bytes(preview.bytes), human_bytes(preview.bytes_read),
            counted(preview.transfers.size(), "transfer"));
  out.print("transport  {} ({})\n", transport_name(preview.transport), preview.reason);
  out.print("threads    {}\n", preview.threads);
  if (preview.slots == 0) {
    out.write("staging    none: every transfer is filled where it goes\n");
  } else {
    out.print("staging    {} of {}\n", counted(preview.slots, "slot"),
              human_bytes(preview.slot_bytes));
  }
  if (preview.transfers.empty()) return;
  out.write("\n");
  constexpr std::array kColumns = {
      Column{.title = "begin", .right = true}, Column{.title = "end", .right = true},
      Column{.title = "read", .right = true}, Column{.title = "brought", .right = true},
      Column{.title = "copies", .right = true}};
  print_table(console, kColumns, preview.transfers.size(), [&](std::uint64_t i) {
    const StreamPreview::Transfer& transfer = preview.transfers[static_cast<std::size_t>(i)];
    return std::vector<std::string>{std::to_string(transfer.begin), std::to_string(transfer.end),
                                    human_bytes(transfer.end - transfer.begin),
                                    human_bytes(transfer.bytes), std::to_string(transfer.copies)};
  });
}

void write_plan_json(const std::string& path, const StreamPreview& preview, Output& out) {
  Json head{{"path", path},
            {"bytes", preview.bytes},
            {"bytes_read", preview.bytes_read},
            {"copies", preview.copies},
            {"transport", transport_name(preview.transport)},
            {"reason", preview.reason},
            {"threads", preview.threads},
            {"slots", preview.slots},
            {"slot_bytes", preview.slot_bytes}};
  std::string text = to_text(head);
  text.pop_back();  // the brace
  out.write(text + ",\"transfers\":[");
  for (std::size_t i = 0; i < preview.transfers.size(); ++i) {
    const StreamPreview::Transfer& transfer = preview.transfers[i];
    if (i > 0) out.write(",");
    out.write(to_text(Json{{"begin", transfer.begin},
                           {"end", transfer.end},
                           {"bytes", transfer.bytes},
                           {"copies", transfer.copies}}));
  }
  out.write("]}\n");
}

}  // namespace ingot::tools
