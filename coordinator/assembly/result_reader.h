#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/quant/quantized_linear.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// The linears of a "unit" blob (QuantizeTask in scheduling.proto), in the order of `unit`. INTERNAL naming
// linear and rule when the blob holds anything but exactly what the plan asked for: workers of one version
// hand in nothing else.
absl::StatusOr<std::vector<QuantizedLinear>> ReadUnitBlob(absl::string_view bytes,
                                                          const v1::PlannedUnit& unit);

struct TensorBytes {
  std::string name;
  std::string bytes;
};

// A linear as compressed-tensors pack-quantized stores it: weight_packed, weight_scale, asymmetric only
// weight_zero_point (packed along the output dimension), weight_shape. Little-endian.
std::vector<TensorBytes> PackedTensors(const QuantizedLinear& linear);

}  // namespace heroq
