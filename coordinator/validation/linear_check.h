#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/linear_storage.h"
#include "common/model/model_layout.h"
#include "coordinator/validation/findings.h"

namespace heroq {

// The stored parts of one quantized linear: scales finite and not zero (positive, unless the tool signs
// them), weight_shape, codes and zero points in range, zero bits after the last code and the last zero point
// of a packed row or column, the middle as the zero point of a symmetric GPTQ linear, a group index of the
// right groups. Requires parts of the right shapes (CheckStructure). Returns whether all holds; an error when
// a tensor cannot be read.
absl::StatusOr<bool> CheckQuantizedLinear(const CheckpointReader& reader, const LinearLayout& linear,
                                          const LinearStorage& storage, Findings& findings);

}  // namespace heroq
