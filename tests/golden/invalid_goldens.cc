#include "tests/golden/invalid_goldens.h"

#include <iterator>
#include <utility>

#include "format/constants.h"

namespace ingot::golden {

namespace {

using ingot::testing::IndexDraft;

StateValue small_state() {
  StateValue state = StateValue::dict();
  state.set("step", StateValue::integer(7));
  state.set("note", StateValue::string("text"));
  state.set("rng", StateValue::bytes({std::byte{1}, std::byte{2}}));
  state.set("tensor", StateValue::tensor("a.weight"));
  state.set("flag", StateValue::boolean(true));
  state.set("nothing", StateValue::null());
  state.set("list", StateValue::list({StateValue::integer(1), StateValue::real(0.5)}));
  StateValue by_number = StateValue::dict();
  by_number.set(0, StateValue::string("zero"));
  by_number.set(1, StateValue::bytes({std::byte{3}}));
  state.set("dict", std::move(by_number));
  return state;
}

}  // namespace

HostileFile small_file() {
  IndexDraft draft;
  draft.tensor("a.weight", DType::kFloat32, {2, 3}).requires_grad = true;
  draft.tensor("a.bias", DType::kFloat32, {3});
  draft.tensor("tied", DType::kFloat32, {6}).storage = 0;
  draft.tensor("mean", DType::kFloat32, {3}, Role::kBuffer);
  draft.tensor("step", DType::kInt64, {}, Role::kOptimizerState);
  draft.tensor("strided", DType::kFloat32, {2, 2}, Role::kOther).strides = {1, 2};
  draft.tensor("packed", DType::kInt4, {3, 2}, Role::kOther);
  draft.attachment("a.json", "application/json", 20);
  draft.attachment("b.txt", "text/plain", 5);
  draft.model.state = small_state();
  return HostileFile::from(draft);
}

HostileFile quantized_file() {
  IndexDraft draft;
  draft.tensor("per_tensor", DType::kQInt8, {4, 4}).quantization =
      Quantization{.scale = 0.5, .zero_point = 1};
  draft.tensor("per_channel", DType::kQInt8, {3, 4}).quantization =
      Quantization{.scheme = QuantizationScheme::kPerChannelAffine,
                   .axis = 1,
                   .scales_storage = draft.storage(32),
                   .zero_points_storage = draft.storage(32)};
  draft.tensor("floats", DType::kQUInt4x2, {2, 4}).quantization =
      Quantization{.scheme = QuantizationScheme::kPerChannelAffineFloatQParams,
                   .scales_storage = draft.storage(8),
                   .zero_points_storage = draft.storage(8)};
  return HostileFile::from(draft);
}

FileBytes sha256_file() {
  IndexDraft draft;
  draft.tensor("weight", DType::kUInt8, {100});
  draft.tensor("bias", DType::kUInt8, {10});
  HostileFile file = HostileFile::from(draft);
  file.header.optional_features = format::kOptionalSha256;
  return file.assemble();
}

InvalidGolden damaged_file(std::string name, Code code, std::string rule, std::string why,
                           Edit edit, FileBytes (*base)()) {
  return {std::move(name), code, std::move(rule), std::move(why), [edit = std::move(edit), base] {
            Draft draft(base());
            edit(draft);
            return draft.take();
          }};
}

InvalidGolden hostile(std::string name, std::string rule, std::string why, HostileEdit edit,
                      HostileFile (*base)()) {
  return {std::move(name), Code::kRejected, std::move(rule), std::move(why),
          [edit = std::move(edit), base] {
            HostileFile file = base();
            edit(file);
            return file.assemble();
          }};
}

InvalidGolden damaged(std::string name, Code code, std::string rule, std::string why, Edit edit,
                      std::string_view base) {
  return {std::move(name), code, std::move(rule), std::move(why), [edit = std::move(edit), base] {
            Draft draft(valid_file(base));
            edit(draft);
            return draft.take();
          }};
}

InvalidGolden forged(std::string name, Code code, std::string rule, std::string why, Edit edit,
                     std::string_view base) {
  return damaged(
      std::move(name), code, std::move(rule), std::move(why),
      [edit = std::move(edit)](Draft& draft) {
        edit(draft);
        draft.seal();
      },
      base);
}

Goldens invalid_goldens() {
  Goldens all;
  for (auto* part :
       {invalid_header, invalid_regions, invalid_data, invalid_flatbuffer, invalid_storages,
        invalid_tensors, invalid_names, invalid_quantization, invalid_state, invalid_attachments}) {
    Goldens goldens = part();
    all.insert(all.end(), std::make_move_iterator(goldens.begin()),
               std::make_move_iterator(goldens.end()));
  }
  return all;
}

}  // namespace ingot::golden
