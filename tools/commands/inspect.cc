// ingot inspect: what a file holds, from its index alone.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ingot/load_plan.h"
#include "ingot/stream.h"

#include "base/error.h"
#include "base/printable.h"
#include "tools/cli/command.h"
#include "tools/cli/device_option.h"
#include "tools/cli/file_kind.h"
#include "tools/cli/json.h"
#include "tools/cli/text.h"
#include "tools/convert/state_keys.h"
#include "tools/inspect/listing.h"
#include "tools/inspect/optimizers.h"
#include "tools/inspect/plan.h"
#include "tools/inspect/state_text.h"
#include "tools/inspect/survey.h"
#include "tools/inspect/to_json.h"
#include "tools/read/packed_reader.h"

namespace ingot::tools {
namespace {

constexpr const char* kExamples =
    "  ingot inspect model.ingot\n"
    "  ingot inspect model.ingot --tensors --name '*.attn.*' --sort size --limit 20\n"
    "  ingot inspect model.ingot --state\n"
    "  ingot inspect model.ingot --optimizer\n"
    "  ingot inspect model.ingot --json | jq .tied\n";

constexpr std::size_t kTiedShown = 10;

struct InspectOptions {
  std::string path;
  bool tensors = false;
  bool state = false;
  bool optimizer = false;
  bool plan = false;
  std::string device = "host";
  std::string attachment;
  std::string role;
  std::string dtype;
  std::string sort = "registration";
  ListingFilter filter;
  std::int64_t limit = 0;
};

Status usage_error(const std::string& what) { return {Code::kInvalidArgument, what}; }

class Inspector {
 public:
  Inspector(const Checkpoint& checkpoint, Console& console)
      : checkpoint_(checkpoint), console_(console), out_(console.out()) {}

  void summary() {
    const Survey figures = survey(checkpoint_);
    if (console_.json()) {
      out_.write(to_line(summary_to_json(checkpoint_, figures)));
      return;
    }
    print_file(figures);
    print_tensors(figures);
    print_tied(figures);
    print_attachments();
    print_state_summary();
  }

  void listing(const ListingFilter& filter) {
    const std::vector<std::uint32_t> chosen = select_tensors(checkpoint_, filter);
    const std::vector<std::uint32_t> uses = storage_uses(checkpoint_);
    const auto is_tied = [&](const TensorInfo& tensor) { return uses[tensor.storage] > 1; };
    if (console_.json()) {
      // Written one by one: a file may have a million.
      out_.print("{{\"path\":{},\"tensors\":[", to_text(Json(checkpoint_.file().path)));
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        const TensorInfo tensor = checkpoint_.info(chosen[i]);
        if (i > 0) out_.write(",");
        out_.write(to_text(tensor_to_json(checkpoint_, tensor, is_tied(tensor))));
      }
      out_.write("]}\n");
      return;
    }
    constexpr std::array kColumns = {Column{.title = "name", .elastic = true},
                                     Column{.title = "dtype"},
                                     Column{.title = "shape"},
                                     Column{.title = "role"},
                                     Column{.title = "bytes", .right = true},
                                     Column{.title = "offset", .right = true},
                                     Column{.title = "flags"}};
    print_table(console_, kColumns, chosen.size(), [&](std::uint64_t i) {
      const TensorInfo tensor = checkpoint_.info(chosen[static_cast<std::size_t>(i)]);
      const std::uint64_t offset = checkpoint_.storage(tensor.storage).offset + tensor.byte_offset;
      return std::vector<std::string>{
          std::string(tensor.name),           std::string(dtype_name(tensor.dtype)),
          shape_text(tensor.shape),           std::string(role_name(tensor.role)),
          human_bytes(packed_bytes(tensor)),  std::to_string(offset),
          flags_text(tensor, is_tied(tensor))};
    });
  }

  void state() {
    const std::optional<StateView> root = checkpoint_.state();
    if (console_.json()) {
      Json tree = root ? state_to_json(copy_state(checkpoint_, *root)) : Json(nullptr);
      out_.write(to_line(Json{{"path", checkpoint_.file().path}, {"state", std::move(tree)}}));
    } else if (root) {
      print_state(checkpoint_, *root, out_);
    } else {
      out_.write("no state\n");
    }
  }

  Status optimizer() {
    INGOT_ASSIGN_OR_RETURN(const std::vector<OptimizerInfo> found, optimizers(checkpoint_));
    if (console_.json()) {
      write_optimizers_json(checkpoint_, found, out_);
    } else {
      print_optimizers(checkpoint_, found, console_);
    }
    return {};
  }

  Status plan(const std::string& device_name) {
    INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<Device> device, open_device(device_name));
    const LoadPlan load = LoadPlan::for_tensors(checkpoint_, {});
    INGOT_ASSIGN_OR_RETURN(const StreamPreview found, preview(load, *device));
    if (console_.json()) {
      write_plan_json(checkpoint_.file().path, found, out_);
    } else {
      print_plan(found, console_);
    }
    return {};
  }

  Status attachment(const std::string& name) {
    const std::optional<AttachmentInfo> found = checkpoint_.find_attachment(name);
    if (!found) {
      return make_error(Code::kNotFound, "no attachment \"" + name + "\"")
          .file(checkpoint_.file().path);
    }
    const Json facts = attachment_to_json(checkpoint_, *found);
    if (console_.json()) {
      out_.write(to_line(Json{{"path", checkpoint_.file().path}, {"attachment", facts}}));
      return {};
    }
    line("name", found->name);
    line("media type", found->media_type);
    line("size", size_text(found->bytes));
    line("offset", std::to_string(checkpoint_.storage(found->storage).offset));
    line("digest", to_string(checkpoint_.storage_digest(found->storage)));
    return {};
  }

 private:
  void line(std::string_view what, std::string_view value) {
    out_.print("  {:<14}{}\n", what, printable(value));
  }
  void heading(std::string_view text) { out_.print("\n{}\n", console_.paint(Color::kBold, text)); }
  static std::string size_text(std::uint64_t bytes) {
    constexpr std::uint64_t kKibibyte = 1024;
    if (bytes < kKibibyte) return counted(bytes, "byte");
    return fmt::format("{} ({} bytes)", human_bytes(bytes), bytes);
  }

  void print_file(const Survey& figures) {
    const FileInfo& file = checkpoint_.file();
    out_.print("{}\n", console_.paint(Color::kBold, printable(file.path)));
    std::string features;
    for (const std::string& name : feature_names(file)) features += ", " + name;
    line("format", fmt::format("{}.{}{}", file.format_major, file.format_minor, features));
    line("uuid", hex(file.uuid));
    line("save id", hex(file.save_id));
    line("root", to_string(file.root));
    if (file.root_sha256) line("SHA-256 root", to_string(*file.root_sha256));
    line("size", size_text(file.file_bytes));
    const double percent =
        100.0 * static_cast<double>(figures.padding_bytes) / static_cast<double>(file.file_bytes);
    line("padding", fmt::format("{} ({:.2f} %)", human_bytes(figures.padding_bytes), percent));
    line("index", human_bytes(file.index_bytes));
    line("digests",
         fmt::format("{}, {} of {} at most", human_bytes(file.digest_table_bytes),
                     counted(checkpoint_.chunk_count(), "chunk"), human_bytes(file.chunk_bytes)));
    line("alignment", human_bytes(file.alignment));
  }

  void print_tensors(const Survey& figures) {
    heading(fmt::format("{}, {} elements, {}", counted(figures.tensors, "tensor"), figures.elements,
                        human_bytes(figures.tensor_bytes)));
    if (figures.tensors == 0) return;
    print_shares("  role", figures.by_role, role_name);
    out_.write("\n");
    print_shares("  dtype", figures.by_dtype, dtype_name);
  }

  template <typename Key, typename Name>
  void print_shares(std::string_view title, const std::map<Key, Share>& shares, Name name) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(shares.size());
    for (const auto& [key, share] : shares) rows.push_back(row(name(key), share));
    const std::array columns = {Column{.title = title}, Column{.title = "tensors", .right = true},
                                Column{.title = "size", .right = true},
                                Column{.title = "bytes", .right = true}};
    print_table(console_, columns, rows.size(),
                [&](std::uint64_t i) { return rows[static_cast<std::size_t>(i)]; });
  }
  static std::vector<std::string> row(std::string_view name, const Share& share) {
    return {"  " + std::string(name), std::to_string(share.tensors), human_bytes(share.bytes),
            std::to_string(share.bytes)};
  }

  void print_tied(const Survey& figures) {
    if (figures.tied.empty()) return;
    heading(fmt::format("{} of tied tensors", counted(figures.tied.size(), "group")));
    for (std::size_t i = 0; i < figures.tied.size() && i < kTiedShown; ++i) {
      std::string names;
      for (const std::uint32_t ordinal : figures.tied[i]) {
        if (!names.empty()) names += " = ";
        names += checkpoint_.info(ordinal).name;
      }
      out_.print("  {}\n", names);
    }
    if (figures.tied.size() > kTiedShown) {
      out_.print("  and {} more (--json has all)\n", figures.tied.size() - kTiedShown);
    }
  }

  void print_attachments() {
    const std::uint32_t count = checkpoint_.attachment_count();
    if (count == 0) return;
    heading(counted(count, "attachment"));
    constexpr std::array kColumns = {Column{.title = "  name", .elastic = true},
                                     Column{.title = "media type"},
                                     Column{.title = "size", .right = true}};
    print_table(console_, kColumns, count, [&](std::uint64_t i) {
      const AttachmentInfo a = checkpoint_.attachment(static_cast<std::uint32_t>(i));
      return std::vector<std::string>{"  " + std::string(a.name), std::string(a.media_type),
                                      human_bytes(a.bytes)};
    });
  }

  void print_state_summary() {
    const std::optional<StateView> root = checkpoint_.state();
    if (!root) return;
    heading("State: " + describe(*root));
    for (auto child = root->first_child(); child; child = child->next_sibling()) {
      const std::string key = key_text(*child);
      out_.print("  {}{}{}\n", key, key.empty() ? "" : ": ", value_text(checkpoint_, *child));
    }
  }

  const Checkpoint& checkpoint_;
  Console& console_;
  Output& out_;
};

Status parse_filter(InspectOptions& options) {
  if (!options.role.empty()) {
    // role_name() has spaces; a shell would rather not.
    std::replace(options.role.begin(), options.role.end(), '_', ' ');
    for (const Role role : {Role::kParameter, Role::kBuffer, Role::kOptimizerState, Role::kOther}) {
      if (role_name(role) == options.role) options.filter.role = role;
    }
    if (!options.filter.role) return usage_error("no role is called " + options.role);
  }
  if (!options.dtype.empty()) {
    options.filter.dtype = parse_dtype(options.dtype);
    if (!options.filter.dtype) return usage_error("no dtype is called " + options.dtype);
  }
  if (options.limit < 0) {
    return usage_error("--limit is 0 or more, not " + std::to_string(options.limit));
  }
  if (options.sort == "name") {
    options.filter.sort = SortBy::kName;
  } else if (options.sort == "size") {
    options.filter.sort = SortBy::kSize;
  } else if (options.sort != "registration") {
    return usage_error("--sort is name, size or registration, not " + options.sort);
  }
  return {};
}

Result<int> run(InspectOptions& options, Console& console) {
  INGOT_RETURN_IF_ERROR(parse_filter(options));
  INGOT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, open_checkpoint(options.path));
  Inspector inspector(checkpoint, console);
  if (!options.attachment.empty()) {
    INGOT_RETURN_IF_ERROR(inspector.attachment(options.attachment));
  } else if (options.optimizer) {
    INGOT_RETURN_IF_ERROR(inspector.optimizer());
  } else if (options.plan) {
    INGOT_RETURN_IF_ERROR(inspector.plan(options.device));
  } else if (options.state) {
    inspector.state();
  } else if (options.tensors) {
    inspector.listing(options.filter);
  } else {
    inspector.summary();
  }
  return 0;
}

}  // namespace

Command add_inspect(CLI::App& parent) {
  Command command = add_command(parent, "inspect", "Show what a file holds", kExamples);
  auto options = std::make_shared<InspectOptions>();
  CLI::App& app = *command.app;
  app.add_option("FILE", options->path, "An Ingot file")->required()->type_name("");
  CLI::Option* tensors = app.add_flag("--tensors", options->tensors, "List the tensors");
  CLI::Option* state = app.add_flag("--state", options->state, "Print the state tree");
  CLI::Option* optimizer =
      app.add_flag("--optimizer", options->optimizer, "Show optimizers: groups, options, members");
  CLI::Option* attachment =
      app.add_option("--attachment", options->attachment, "Describe one attachment")
          ->type_name("NAME");
  state->excludes(tensors);
  optimizer->excludes(tensors)->excludes(state);
  attachment->excludes(tensors)->excludes(state)->excludes(optimizer);
  CLI::Option* plan =
      app.add_flag("--plan", options->plan, "Show how all tensors would be loaded, and why so");
  plan->excludes(tensors)->excludes(state)->excludes(optimizer)->excludes(attachment);
  app.add_option("--device", options->device, "Of the plan: host (the default) or cuda:N")
      ->type_name("DEVICE")
      ->needs(plan);

  const std::vector<CLI::Option*> filters = {
      app.add_option("--role", options->role, "parameter, buffer, optimizer_state or other")
          ->type_name("ROLE"),
      app.add_option("--dtype", options->dtype, "bfloat16, float8_e4m3fn, ...")->type_name("DTYPE"),
      app.add_option("--prefix", options->filter.prefix, "Names that begin so")->type_name("TEXT"),
      app.add_option("--name", options->filter.glob, "Names that match a pattern with * ? [ ]")
          ->type_name("GLOB"),
      app.add_option("--sort", options->sort, "registration (the default), name or size")
          ->type_name("KEY"),
      app.add_option("--limit", options->limit, "Not more than so many")->type_name("N")};
  const CLI::Option* limit = filters.back();
  for (CLI::Option* option : filters) option->group("Listing")->needs(tensors);
  command.run = [options, limit](Console& console) {
    if (limit->count() > 0) options->filter.limit = static_cast<std::uint64_t>(options->limit);
    return run(*options, console);
  };
  return command;
}

}  // namespace ingot::tools
