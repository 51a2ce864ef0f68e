#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/linear_storage.h"
#include "common/quant/quantized_linear.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

struct TensorBytes {
  std::string name;
  std::string bytes;
};

// What a Quantize task handed in.
struct UnitResult {
  std::vector<QuantizedLinear> linears;
  std::vector<TensorBytes> tensors;  // rewritten ones
};

// A "unit" blob (QuantizeTask in scheduling.proto), in the order of `unit`. INTERNAL naming tensor and rule
// when the blob holds anything but exactly what the plan asked for: workers of one version hand in nothing
// else.
absl::StatusOr<UnitResult> ReadUnitBlob(absl::string_view bytes, const v1::PlannedUnit& unit);

// A linear as the checkpoint stores it in `format` (PlannedFormat): the tensors of QuantizedTensors.
// Little-endian.
std::vector<TensorBytes> StoredTensors(const QuantizedLinear& linear, LinearFormat format);

}  // namespace heroq
