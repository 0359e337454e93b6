#include "tests/golden/valid_goldens.h"

#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "format/extent.h"
#include "tests/golden/colliding_names.h"

namespace ingot::golden {

namespace {

// Bytes that differ everywhere and never change (a linear congruential generator, Numerical
// Recipes).
std::vector<std::byte> pattern(std::uint64_t bytes, std::uint32_t seed) {
  std::vector<std::byte> out(bytes);
  std::uint32_t x = seed * 2654435761u + 1;
  for (std::byte& b : out) {
    x = x * 1664525u + 1013904223u;
    b = static_cast<std::byte>(x >> 24);
  }
  return out;
}

// Writes a plan with a pattern in every storage; attachments and storages are numbered alike.
Status write_pattern(const std::string& path, const WritePlan& plan,
                     const WriterOptions& options = {}) {
  INGOT_ASSIGN_OR_RETURN(Writer writer, Writer::create(path, plan, options));
  const auto& sizes = plan.storage_bytes();
  for (std::uint32_t i = 0; i < sizes.size(); ++i) {
    INGOT_RETURN_IF_ERROR(writer.write(StorageId{i}, pattern(sizes[i], i)));
  }
  return writer.commit();
}

Status write_empty(const std::string& path) { return write_pattern(path, WritePlan()); }

Status write_smallest(const std::string& path) {
  WritePlan plan;
  const TensorId weight = plan.add({.name = "weight", .dtype = DType::kFloat32, .shape = {2, 3}});
  INGOT_ASSIGN_OR_RETURN(Writer writer, Writer::create(path, plan));
  const float values[] = {0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F};
  INGOT_RETURN_IF_ERROR(writer.write(weight, std::as_bytes(std::span(values))));
  return writer.commit();
}

Status write_every_dtype(const std::string& path) {
  WritePlan plan;
  for (std::uint8_t number = kFirstDType; number <= kLastDType; ++number) {
    const auto dtype = static_cast<DType>(number);
    TensorSpec spec{.name = std::string("dtype.") + std::string(dtype_name(dtype)),
                    .dtype = dtype,
                    .shape = {4, 8}};
    if (is_quantized(dtype)) spec.quantization = QuantizationSpec{.scale = 0.25, .zero_point = 3};
    plan.add(std::move(spec));
  }
  return write_pattern(path, plan);
}

Status write_tied(const std::string& path) {
  WritePlan plan;
  const TensorId embed =
      plan.add({.name = "embed.weight", .shape = {8, 16}, .requires_grad = true});
  plan.add({.name = "middle.weight", .shape = {16}});
  plan.add({.name = "head.weight",
            .shape = {8, 16},
            .requires_grad = true,
            .storage = plan.storage_of(embed)});
  return write_pattern(path, plan);
}

Status write_strided(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "conv.weight", .shape = {2, 3, 4, 5}, .strides = {60, 1, 15, 3}});
  const StorageId base = plan.add_storage(64 * 4);
  plan.add({.name = "transposed", .shape = {8, 8}, .strides = {1, 8}, .storage = base});
  plan.add({.name = "diagonal", .shape = {8}, .strides = {9}, .storage = base});
  plan.add({.name = "tail", .shape = {4}, .byte_offset = 240, .storage = base});
  plan.add({.name = "broadcast", .shape = {1000, 8}, .strides = {0, 1}, .storage = base});
  return write_pattern(path, plan);
}

Status write_zero_dim(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "empty", .shape = {0}});
  plan.add({.name = "empty.matrix", .shape = {3, 0, 7}});
  plan.add({.name = "scalar", .dtype = DType::kInt64, .shape = {}});
  plan.add({.name = "scalar.bool", .dtype = DType::kBool, .shape = {}});
  return write_pattern(path, plan);
}

Status write_roles(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "bn.running_mean", .shape = {8}, .role = Role::kBuffer});
  plan.add({.name = "adam/exp_avg/bn.weight", .shape = {8}, .role = Role::kOptimizerState});
  plan.add({.name = "bn.weight", .shape = {8}, .requires_grad = true});
  plan.add({.name = "rng", .dtype = DType::kUInt8, .shape = {40}, .role = Role::kOther});
  plan.add({.name = "bn.bias", .shape = {8}, .requires_grad = true});
  plan.add({.name = "bn.num_batches_tracked",
            .dtype = DType::kInt64,
            .shape = {},
            .role = Role::kBuffer});
  return write_pattern(path, plan);
}

StateValue sample_state() {
  StateValue root = StateValue::dict();
  root.set("null", StateValue::null());
  root.set("true", StateValue::boolean(true));
  root.set("false", StateValue::boolean(false));
  root.set("minimum", StateValue::integer(INT64_MIN));
  root.set("pi", StateValue::real(3.141592653589793));
  root.set("nan", StateValue::real(std::bit_cast<double>(0x7FF8DEADBEEF0001u)));
  root.set("negative zero", StateValue::real(-0.0));
  root.set("text", StateValue::string("Zürich — 東京"));
  root.set("bytes", StateValue::bytes({std::byte{0}, std::byte{255}, std::byte{16}}));
  root.set("empty bytes", StateValue::bytes({}));
  root.set("list", StateValue::list({StateValue::integer(1), StateValue::string("two"),
                                     StateValue::tuple({StateValue::real(3.0)})}));
  root.set("empty list", StateValue::list());
  StateValue by_number = StateValue::dict();
  by_number.set(std::int64_t{-7}, StateValue::string("minus seven"));
  by_number.set(std::int64_t{7}, StateValue::tensor("weight"));
  root.set("by number", std::move(by_number));
  return root;
}

Status write_state(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "weight", .shape = {4}});
  plan.set_state(sample_state());
  return write_pattern(path, plan);
}

Status write_deep_state(const std::string& path) {
  StateValue value = StateValue::integer(64);
  for (int depth = 1; depth < kMaxStateDepth; ++depth) value = StateValue::list({std::move(value)});
  WritePlan plan;
  plan.set_state(std::move(value));
  return write_pattern(path, plan);
}

Status write_metadata(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "weight", .dtype = DType::kBFloat16, .shape = {4, 4}});
  StateValue metadata = StateValue::dict();
  metadata.set("format", StateValue::string("pt"));
  StateValue root = StateValue::dict();
  root.set("metadata", std::move(metadata));
  plan.set_state(std::move(root));
  return write_pattern(path, plan);
}

// A member's state, whose tensors are added to the plan.
StateValue adam_state(WritePlan& plan, const std::string& member, std::int64_t step) {
  StateValue entries = StateValue::dict();
  entries.set("step", StateValue::integer(step));
  for (const char* entry : {"exp_avg", "exp_avg_sq"}) {
    const std::string name = "adamw/" + member + "/" + entry;
    plan.add({.name = name, .shape = {2, 3}, .role = Role::kOptimizerState});
    entries.set(entry, StateValue::tensor(name));
  }
  return entries;
}

StateValue adamw_group(double weight_decay, std::int64_t number, const std::string& member,
                       bool requires_grad) {
  StateValue group = StateValue::dict();
  group.set("lr", StateValue::real(0.001));
  group.set("betas", StateValue::tuple({StateValue::real(0.9), StateValue::real(0.999)}));
  group.set("eps", StateValue::real(1e-8));
  group.set("weight_decay", StateValue::real(weight_decay));
  group.set("amsgrad", StateValue::boolean(false));
  group.set("params", StateValue::list({StateValue::integer(number)}));
  group.set("param_names", StateValue::list({StateValue::string(member)}));
  group.set("param_shapes",
            StateValue::list({StateValue::list({StateValue::integer(2), StateValue::integer(3)})}));
  group.set("param_requires_grad", StateValue::list({StateValue::boolean(requires_grad)}));
  return group;
}

// The well-known keys of a training run: one member has stepped, the other is frozen.
Status write_training(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "model.a", .shape = {2, 3}, .requires_grad = true});
  plan.add({.name = "model.b", .shape = {2, 3}});
  plan.add({.name = "model.count", .dtype = DType::kInt64, .role = Role::kBuffer});
  plan.add({.name = "rng/cpu", .dtype = DType::kUInt8, .shape = {16}, .role = Role::kOther});
  StateValue root = StateValue::dict();
  root.set("modules", StateValue::dict())
      .set("model", StateValue::dict())
      .set("prefix", StateValue::string("model."));
  StateValue& adamw = root.set("optimizers", StateValue::dict()).set("adamw", StateValue::dict());
  adamw.set("class", StateValue::string("AdamW"));
  adamw.set("state", StateValue::dict()).set(0, adam_state(plan, "model.a", 10));
  adamw.set("param_groups", StateValue::list({adamw_group(0.1, 0, "model.a", true),
                                              adamw_group(0, 1, "model.b", false)}));
  StateValue& scheduler = root.set("schedulers", StateValue::dict()).set("lr", StateValue::dict());
  scheduler.set("class", StateValue::string("StepLR"));
  scheduler.set("last_epoch", StateValue::integer(10));
  root.set("rng", StateValue::dict()).set("cpu", StateValue::tensor("rng/cpu"));
  root.set("values", StateValue::dict()).set("epoch", StateValue::integer(3));
  plan.set_state(std::move(root));
  return write_pattern(path, plan);
}

Status write_attachments(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "weight", .shape = {4}});
  plan.attach("tokenizer.json", "application/json", 300);
  plan.attach("config.json", "application/json", 17);
  plan.attach("empty.txt", "text/plain", 0);
  return write_pattern(path, plan);
}

Status write_quantized(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "per_tensor",
            .dtype = DType::kQInt8,
            .shape = {4, 4},
            .quantization = QuantizationSpec{.scale = 0.125, .zero_point = -3}});
  const StorageId scales = plan.add_storage(4 * 8);
  const StorageId zero_points = plan.add_storage(4 * 8);
  plan.add({.name = "per_channel",
            .dtype = DType::kQUInt8,
            .shape = {2, 4},
            .quantization = QuantizationSpec{.scheme = QuantizationScheme::kPerChannelAffine,
                                             .axis = 1,
                                             .scales = scales,
                                             .zero_points = zero_points}});
  const StorageId float_scales = plan.add_storage(6 * 4);
  const StorageId float_zero_points = plan.add_storage(6 * 4);
  plan.add(
      {.name = "embedding",
       .dtype = DType::kQUInt4x2,
       .shape = {6, 8},
       .quantization = QuantizationSpec{.scheme = QuantizationScheme::kPerChannelAffineFloatQParams,
                                        .scales = float_scales,
                                        .zero_points = float_zero_points}});
  return write_pattern(path, plan);
}

WritePlan chunked_plan() {
  WritePlan plan;
  plan.add({.name = "large", .dtype = DType::kUInt8, .shape = {2 * 65536 + 100}});
  plan.add({.name = "exact", .dtype = DType::kUInt8, .shape = {65536}});
  plan.add({.name = "middling", .dtype = DType::kUInt8, .shape = {5000}});
  plan.add({.name = "tiny", .dtype = DType::kUInt8, .shape = {3}});
  return plan;
}

Status write_chunks(const std::string& path) {
  return write_pattern(path, chunked_plan(), {.chunk_bytes = 65536});
}

Status write_sha256(const std::string& path) {
  return write_pattern(path, chunked_plan(), {.chunk_bytes = 65536, .sha256 = true});
}

Status write_alignment(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "tiny", .dtype = DType::kUInt8, .shape = {1}});
  plan.add({.name = "large", .dtype = DType::kUInt8, .shape = {65536}});
  plan.add({.name = "last", .dtype = DType::kUInt8, .shape = {1}});
  return write_pattern(path, plan, {.alignment = 16384});
}

Status write_names(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "a", .shape = {1}});
  plan.add({.name = std::string(1024, 'n'), .shape = {1}});
  plan.add({.name = "слой.0.重み", .shape = {1}});
  plan.add({.name = "with space/and:punctuation", .shape = {1}});
  plan.add({.name = "\xF0\x9F\xA6\x99", .shape = {1}});
  return write_pattern(path, plan);
}

Status write_many(const std::string& path) {
  WritePlan plan;
  for (int i = 0; i < 300; ++i) {
    plan.add({.name = "layers." + std::to_string(i) + ".weight",
              .dtype = DType::kInt8,
              .shape = {i % 40}});
  }
  return write_pattern(path, plan);
}

Status write_high_rank(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "rank64", .dtype = DType::kUInt8, .shape = std::vector<std::int64_t>(64, 1)});
  return write_pattern(path, plan);
}

Status write_hash_run(const std::string& path) {
  WritePlan plan;
  StateValue keys = StateValue::dict();
  for (const std::string& name : colliding_names(8)) {
    plan.add({.name = name, .dtype = DType::kUInt8, .shape = {1}});
    keys.set(name, StateValue::tensor(name));
  }
  plan.set_state(std::move(keys));
  return write_pattern(path, plan);
}

Status write_given_ids(const std::string& path) {
  WritePlan plan;
  plan.add({.name = "weight", .shape = {4}});
  WriterOptions options;
  options.uuid.emplace();
  options.save_id.emplace();
  for (std::uint8_t i = 0; i < 16; ++i) {
    (*options.uuid)[i] = static_cast<std::uint8_t>(0xA0 + i);
    (*options.save_id)[i] = static_cast<std::uint8_t>(0x50 + i);
  }
  return write_pattern(path, plan, options);
}

}  // namespace

std::vector<ValidGolden> valid_goldens() {
  return {
      {"smallest", "one float32 tensor; annotated byte by byte in docs/format.md", write_smallest},
      {"empty", "no tensor at all", write_empty},
      {"every_dtype", "one tensor of each dtype", write_every_dtype},
      {"tied", "two tensors on one storage", write_tied},
      {"strided", "channels-last, transposed, diagonal, broadcast and offset views", write_strided},
      {"zero_dim", "0-d and empty tensors", write_zero_dim},
      {"roles", "roles registered out of order: data lies by role", write_roles},
      {"state", "every kind of state value, NaN payload and tensor reference", write_state},
      {"deep_state", "a state tree of the greatest depth", write_deep_state},
      {"metadata", "metadata of an imported file", write_metadata},
      {"training", "modules, an optimizer with two groups, scheduler, generator, values",
       write_training},
      {"attachments", "named blobs, one of them empty", write_attachments},
      {"quantized", "per tensor, per channel, and float parameters", write_quantized},
      {"chunks", "storages of several chunks, exactly one, and less", write_chunks},
      {"sha256", "the SHA-256 column and root", write_sha256},
      {"alignment", "large storages aligned to 16 KiB", write_alignment},
      {"names", "the shortest and longest names, and names in UTF-8", write_names},
      {"many", "three hundred tensors of 0 to 39 bytes", write_many},
      {"high_rank", "a tensor of rank 64", write_high_rank},
      {"hash_run", "eight names, and eight keys of a dict, that share an XXH3-64", write_hash_run},
      {"given_ids", "uuid and save id given by the caller", write_given_ids},
  };
}

}  // namespace ingot::golden
