#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/agent/unit_blob.h"
#include "worker/methods/method.h"

namespace heroq {

// Weights that are published dense instead of as codes.

// By tensor name.
using DenseWeights = std::map<std::string, at::Tensor>;

// Whether the weights of the task's quantized linears are among the tensors it rewrites: then these are what
// is handed in, and no codes.
bool PublishesDense(const v1::QuantizeTask& task);

// What the linears of a quantized unit stand for. INTERNAL when the method gave another number of them.
absl::StatusOr<DenseWeights> DenseWeightsOf(const UnitWork& work, const QuantizedUnit& unit);

// The weight of `linear` as it is stored, as float32 values. INTERNAL when the unit has none.
absl::StatusOr<std::vector<float>> StoredDenseWeight(const UnitBlob& unit, const std::string& linear);

}  // namespace heroq
