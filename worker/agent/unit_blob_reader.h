#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/model_layout.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// The linears of a "unit" blob (QuantizeTask in scheduling.proto). Shapes come from the layout of the block;
// bits, group size, symmetry and scale type follow from the shapes and types of the arrays, which fix them
// for inputs of at least 32 features. FILE_CORRUPT naming blob, tensor and rule.
absl::StatusOr<std::vector<QuantizedLinear>> ReadUnitBlob(absl::string_view bytes, const BlockLayout& layout,
                                                          const std::string& name);

}  // namespace heroq
