#include "worker/agent/dense_weights.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/stored_tensors.h"
#include "worker/loading/dequantize.h"
#include "worker/methods/host_matrix.h"

namespace heroq {
namespace {

std::string WeightName(const std::string& linear) { return absl::StrCat(linear, ".weight"); }

}  // namespace

bool PublishesDense(const v1::QuantizeTask& task) {
  return std::any_of(task.linears().begin(), task.linears().end(), [&](const v1::LinearTask& linear) {
    const std::string weight = WeightName(linear.name());
    return std::any_of(task.tensors().begin(), task.tensors().end(),
                       [&](const v1::RewrittenTensor& tensor) { return tensor.name() == weight; });
  });
}

absl::StatusOr<DenseWeights> DenseWeightsOf(const UnitWork& work, const QuantizedUnit& unit) {
  const size_t found = unit.dense.empty() ? unit.linears.size() : unit.dense.size();
  if (found != work.linears.size()) {
    return MakeError(Reason::kInternal, absl::StrCat("quantize task: the method gave ", found,
                                                     " weights for ", work.linears.size(), " linears"));
  }
  DenseWeights weights;
  for (size_t i = 0; i < found; ++i) {
    at::Tensor& weight = weights[WeightName(work.linears[i].name)];
    if (!unit.dense.empty()) {
      weight = unit.dense[i];
    } else {
      HEROQ_ASSIGN_OR_RETURN(weight, DequantizeTo(unit.linears[i], at::kFloat, c10::Device(c10::kCPU)));
    }
  }
  return weights;
}

absl::StatusOr<std::vector<float>> StoredDenseWeight(const UnitBlob& unit, const std::string& linear) {
  for (const StoredTensor& stored : unit.tensors) {
    if (stored.spec.name != WeightName(linear)) continue;
    HEROQ_ASSIGN_OR_RETURN(const at::Tensor tensor, TensorOf(stored));
    const at::Tensor matrix = HostMatrix(tensor);
    const absl::Span<const float> values = Values(matrix);
    return std::vector<float>(values.begin(), values.end());
  }
  return MakeError(Reason::kInternal, absl::StrCat("quantize task: the unit just written lacks ", linear));
}

}  // namespace heroq
