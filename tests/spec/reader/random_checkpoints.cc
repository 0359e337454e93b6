// random_checkpoints FOLDER COUNT SEED: checkpoints of arbitrary content that every reader must
// read alike. The same seed makes the same files.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "ingot/writer.h"

namespace {

using ingot::DType;
using ingot::StateValue;
using ingot::Status;
using ingot::TensorSpec;
using ingot::WritePlan;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // Not std::uniform_int_distribution: that differs between libraries.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::uint64_t bits() { return engine_(); }

  std::string text(std::uint64_t max_characters) {
    static const char* const kCharacters[] = {"a", "Z", "0", ".",  "_",          "/",
                                              " ", "é", "→", "重", "\U0001F999", "~"};
    std::string result;
    for (std::uint64_t n = below(max_characters + 1); n > 0; --n) {
      result += kCharacters[below(std::size(kCharacters))];
    }
    return result;
  }

  std::vector<std::byte> bytes(std::uint64_t count) {
    std::vector<std::byte> result(count);
    for (std::byte& b : result) b = static_cast<std::byte>(engine_());
    return result;
  }

 private:
  std::mt19937_64 engine_;
};

class RandomPlan {
 public:
  explicit RandomPlan(std::uint64_t seed) : random_(seed) {}

  WritePlan make() {
    for (std::uint64_t n = random_.below(12); n > 0; --n) add_tensor();
    for (std::uint64_t n = random_.below(4); n > 0; --n) {
      plan_.attach("file " + std::to_string(n) + random_.text(20),
                   random_.one_in(2) ? "application/json" : "text/plain; charset=utf-8",
                   random_.below(200));
    }
    if (!random_.one_in(3)) plan_.set_state(value(0));
    return plan_;
  }

  ingot::WriterOptions options() {
    ingot::WriterOptions options;
    options.durability = ingot::Durability::kNone;
    options.chunk_bytes = std::uint64_t{1} << (16 + random_.below(5));
    options.alignment = std::uint64_t{1} << (12 + random_.below(4));
    options.sha256 = random_.one_in(3);
    return options;
  }

  Random& random() { return random_; }

 private:
  std::vector<std::int64_t> shape(DType dtype) {
    std::vector<std::int64_t> dims(random_.one_in(20) ? 64 : random_.below(5));
    const bool long_rank = dims.size() == 64;
    for (auto& d : dims) d = static_cast<std::int64_t>(long_rank ? 1 : random_.below(6));
    // Packed elements must fill whole bytes: eight elements of any type do.
    if (dtype_bits(dtype) % 8 != 0) dims.assign({static_cast<std::int64_t>(random_.below(4)), 8});
    if (random_.one_in(25)) dims.assign({static_cast<std::int64_t>(66000 + random_.below(9) * 8)});
    return dims;
  }

  // Transposed, or with gaps between the elements.
  static std::vector<std::int64_t> strides(const std::vector<std::int64_t>& dims, bool gaps) {
    std::vector<std::int64_t> result;
    std::int64_t step = gaps ? 2 : 1;
    for (const std::int64_t d : dims) {
      result.push_back(step);
      step *= d > 0 ? d : 1;
    }
    return result;
  }

  std::string new_name() {
    return "t" + std::to_string(plan_.tensor_count()) + random_.text(random_.one_in(10) ? 200 : 20);
  }

  void add_tensor() {
    const auto dtype = static_cast<DType>(ingot::kFirstDType + random_.below(ingot::kLastDType));
    TensorSpec spec{.name = new_name(),
                    .dtype = dtype,
                    .shape = shape(dtype),
                    .role = static_cast<ingot::Role>(1 + random_.below(4)),
                    .requires_grad = random_.one_in(2)};
    const bool packed = dtype_bits(dtype) % 8 != 0;
    if (!packed && spec.shape.size() > 1 && spec.shape.size() < 64 && random_.one_in(3)) {
      spec.strides = strides(spec.shape, random_.one_in(2));
    }
    if (is_quantized(dtype)) quantize(spec);
    const ingot::TensorId added = plan_.add(spec);
    if (!random_.one_in(4)) return;
    spec.name = new_name();  // tied, seen by another role perhaps
    spec.role = static_cast<ingot::Role>(1 + random_.below(4));
    spec.storage = plan_.storage_of(added);
    plan_.add(spec);
  }

  void quantize(TensorSpec& spec) {
    spec.strides.clear();
    auto& quantization = spec.quantization.emplace();
    quantization.scale = static_cast<double>(random_.below(1000)) / 64;
    quantization.zero_point = static_cast<std::int64_t>(random_.below(256)) - 128;
    if (spec.shape.empty() || spec.shape.size() == 64 || random_.one_in(2)) return;
    const bool floats = random_.one_in(2);
    quantization = {.scheme = floats ? ingot::QuantizationScheme::kPerChannelAffineFloatQParams
                                     : ingot::QuantizationScheme::kPerChannelAffine};
    quantization.axis = static_cast<std::int32_t>(random_.below(spec.shape.size()));
    const auto channels =
        static_cast<std::uint64_t>(spec.shape[static_cast<std::size_t>(quantization.axis)]);
    quantization.scales = plan_.add_storage(channels * (floats ? 4 : 8));
    quantization.zero_points = plan_.add_storage(channels * (floats ? 4 : 8));
  }

  StateValue value(int depth) {
    switch (random_.below(depth < 6 ? 12 : 7)) {
      case 0:
        return StateValue::null();
      case 1:
        return StateValue::boolean(random_.one_in(2));
      case 2:
        return StateValue::integer(static_cast<std::int64_t>(random_.bits()));
      case 3:
        return StateValue::real(std::bit_cast<double>(random_.bits()));
      case 4:
        return StateValue::string(random_.text(30) + (random_.one_in(5) ? "\n\x01" : ""));
      case 5:
        return StateValue::bytes(random_.bytes(random_.below(40)));
      case 6:
        if (plan_.tensor_count() == 0) return StateValue::null();
        return StateValue::tensor(plan_.tensors()[random_.below(plan_.tensor_count())].name);
      case 7:
      case 8:
        return sequence(depth);
      default:
        return dict(depth);
    }
  }

  StateValue sequence(int depth) {
    StateValue result = random_.one_in(2) ? StateValue::list() : StateValue::tuple();
    for (std::uint64_t n = random_.below(5); n > 0; --n) result.append(value(depth + 1));
    return result;
  }

  StateValue dict(int depth) {
    StateValue result = StateValue::dict();
    for (std::uint64_t n = random_.below(6); n > 0; --n) {
      if (random_.one_in(2)) {
        result.set(static_cast<std::int64_t>(random_.bits()), value(depth + 1));
      } else {
        result.set(random_.text(12), value(depth + 1));
      }
    }
    return result;
  }

  Random random_;
  WritePlan plan_;
};

Status write_random(const std::string& path, std::uint64_t seed) {
  RandomPlan source(seed);
  const WritePlan plan = source.make();
  INGOT_ASSIGN_OR_RETURN(ingot::Writer writer, ingot::Writer::create(path, plan, source.options()));
  for (std::uint32_t i = 0; i < plan.storage_bytes().size(); ++i) {
    INGOT_RETURN_IF_ERROR(
        writer.write(ingot::StorageId{i}, source.random().bytes(plan.storage_bytes()[i])));
  }
  return writer.commit();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: random_checkpoints FOLDER COUNT SEED\n");
    return 64;
  }
  const auto count = std::strtoull(argv[2], nullptr, 10);
  const auto seed = std::strtoull(argv[3], nullptr, 10);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string path = std::string(argv[1]) + "/" + std::to_string(seed + i) + ".ingot";
    if (const Status status = write_random(path, seed + i); !status.ok()) {
      std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed + i),
                   status.to_string().c_str());
      return 1;
    }
  }
  return 0;
}
