#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// The "unit" blob of a Quantize task (scheduling.proto), which ReadUnitBlob reads. Equal linears give equal
// bytes. INVALID_SPEC for a name that appears twice.
absl::StatusOr<std::string> WriteUnitBlob(const std::vector<QuantizedLinear>& linears);

}  // namespace heroq
