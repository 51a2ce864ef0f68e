#pragma once

#include <ATen/core/Tensor.h>

#include "absl/status/statusor.h"
#include "heroq/v1/scheme.pb.h"
#include "worker/agent/unit_blob.h"

namespace heroq {

// Between dense tensors and the bytes that are published.

// `tensor` rounded to the type of `planned` (nearest even), which names and shapes it. NUMERICAL_FAILURE
// naming the tensor when a value has no finite rounding; INTERNAL for another shape or a type that is not
// floating-point.
absl::StatusOr<StoredTensor> StoreTensor(const v1::RewrittenTensor& planned, const at::Tensor& tensor);

// In its stored type, on the CPU. INTERNAL for a type that is not floating-point.
absl::StatusOr<at::Tensor> TensorOf(const StoredTensor& stored);

}  // namespace heroq
