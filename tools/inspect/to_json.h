// Descriptions as JSON.
#pragma once

#include "ingot/checkpoint.h"

#include "tools/cli/json.h"
#include "tools/inspect/survey.h"

namespace ingot::tools {

Json tensor_to_json(const Checkpoint& checkpoint, const TensorInfo& tensor, bool tied);
Json attachment_to_json(const Checkpoint& checkpoint, const AttachmentInfo& attachment);
Json summary_to_json(const Checkpoint& checkpoint, const Survey& survey);

}  // namespace ingot::tools
