#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/linear_storage.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// Reads one linear of a compressed-tensors checkpoint, stored as pack-quantized or int-quantized
// (LinearFormat); scales are bfloat16 or float16, and which of the two is taken from the file. `shape` is the
// [out, in] the model expects. MODEL_INVALID naming tensor and rule.
absl::StatusOr<QuantizedLinear> ReadPackedLinear(const CheckpointReader& reader, const std::string& name,
                                                 const LinearStorage& storage,
                                                 const std::vector<int64_t>& shape);

}  // namespace heroq
