#include "writer/plan_content.h"

#include "format/extent.h"

namespace ingot::writer {

TensorInfo PlanContent::tensor(std::size_t i) const {
  const TensorSpec& spec = plan_.tensors()[i];
  TensorInfo info{.name = spec.name,
                  .dtype = spec.dtype,
                  .role = spec.role,
                  .requires_grad = spec.requires_grad,
                  .shape = spec.shape,
                  .strides = spec.strides,
                  .storage = number(*spec.storage),
                  .byte_offset = spec.byte_offset,
                  .quantization = describe(spec.quantization)};
  // Canonical: strides that say nothing are left out.
  if (format::is_row_major(spec.shape, spec.strides)) info.strides = {};
  return info;
}

AttachmentInfo PlanContent::attachment(std::size_t i) const {
  const WritePlan::Attachment& attachment = plan_.attachments()[layout_.attachments[i]];
  return {.name = attachment.name,
          .media_type = attachment.media_type,
          .storage = number(attachment.storage)};
}

std::optional<Quantization> PlanContent::describe(
    const std::optional<QuantizationSpec>& spec) const {
  if (!spec) return std::nullopt;
  return Quantization{.scheme = spec->scheme,
                      .scale = spec->scale,
                      .zero_point = spec->zero_point,
                      .axis = spec->axis,
                      .scales_storage = spec->scales ? number(*spec->scales) : 0,
                      .zero_points_storage = spec->zero_points ? number(*spec->zero_points) : 0};
}

}  // namespace ingot::writer
