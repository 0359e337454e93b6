// A plan whose storages are placed, as what its index says.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "ingot/writer.h"

#include "format/index_model.h"
#include "writer/plan_layout.h"

namespace ingot::writer {

// Refers to its arguments. `names` is the table that check_plan() returned.
class PlanContent : public format::IndexContent {
 public:
  PlanContent(const WritePlan& plan, const PlanLayout& layout,
              std::span<const format::NameHash> names)
      : plan_(plan), layout_(layout), names_(names) {}

  std::size_t tensors() const override { return plan_.tensors().size(); }
  TensorInfo tensor(std::size_t i) const override;
  std::size_t attachments() const override { return layout_.attachments.size(); }
  AttachmentInfo attachment(std::size_t i) const override;
  std::span<const format::IndexStorage> storages() const override { return layout_.storages; }
  std::span<const format::NameHash> names() const override { return names_; }
  const StateValue* state() const override { return plan_.state() ? &*plan_.state() : nullptr; }

 private:
  std::uint32_t number(StorageId storage) const {
    return layout_.storage_number[static_cast<std::size_t>(storage)];
  }
  std::optional<Quantization> describe(const std::optional<QuantizationSpec>& spec) const;

  const WritePlan& plan_;
  const PlanLayout& layout_;
  std::span<const format::NameHash> names_;
};

}  // namespace ingot::writer
