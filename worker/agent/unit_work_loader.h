#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/agent/dense_weights.h"
#include "worker/agent/unit_blob.h"
#include "worker/loading/weight_source.h"
#include "worker/methods/method.h"

namespace heroq {

// What a Quantize task of a block works on, without statistics: its linears and, where it rewrites tensors,
// the kept linears, biases and the gain among them. INTERNAL for a linear or tensor the block does not have,
// or a scheme that does not fit it; errors of the weights pass through.
absl::StatusOr<UnitWork> LoadUnitWork(const v1::QuantizeTask& task, const BlockLayout& block,
                                      const WeightSource& source);

// The tensors the task rewrites as they are in `work`, the unit after its transform, or in `dense`. INTERNAL
// for one that is in neither.
absl::StatusOr<std::vector<StoredTensor>> RewrittenTensors(const v1::QuantizeTask& task,
                                                           const BlockLayout& block, const UnitWork& work,
                                                           const DenseWeights& dense);

}  // namespace heroq
