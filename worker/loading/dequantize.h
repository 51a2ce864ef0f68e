#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "absl/status/statusor.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// The weight [out, in] a quantized linear stands for, rounded to `dtype`, on `device`. The linear must be
// valid. OUT_OF_MEMORY, INTERNAL.
absl::StatusOr<at::Tensor> DequantizeTo(const QuantizedLinear& linear, c10::ScalarType dtype,
                                        c10::Device device);

}  // namespace heroq
