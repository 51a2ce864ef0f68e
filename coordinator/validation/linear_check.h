#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/model/model_layout.h"
#include "common/quant/quant_scheme.h"
#include "coordinator/validation/findings.h"

namespace heroq {

// The stored parts of one quantized linear: group count, weight_shape, finite positive scales, zero bits
// after the last code of a row and the last zero point of a column. Requires parts of the right shapes
// (CheckStructure). Returns whether all holds; an error when a tensor cannot be read.
absl::StatusOr<bool> CheckQuantizedLinear(const CheckpointReader& reader, const LinearLayout& linear,
                                          const QuantScheme& scheme, Findings& findings);

}  // namespace heroq
