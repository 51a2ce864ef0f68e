#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "worker/quantizer/gptq.h"
#include "worker/quantizer/grid.h"
#include "worker/quantizer/hessian_factor.h"

namespace heroq {

// HessianFactor as tensors on the device of the second moments.
struct DeviceFactor {
  at::Tensor order;     // int64 [inputs]
  at::Tensor pivots;    // float32 [inputs], U_kk^2
  at::Tensor feedback;  // float32 [inputs, inputs], U_ik / U_kk
  DampingRecord damping;
};

// FactorHessian and SolveGptq in ATen operations, for devices the kernels do not reach (CUDA). The same
// decisions up to float32 rounding; not bound to one thread, so results belong to the device's numeric class.
// Tensors may live on any one device. Throws c10::Error when the device fails.
//
// `second_moment` float32 [inputs, inputs].
absl::StatusOr<DeviceFactor> FactorHessianOnDevice(const at::Tensor& second_moment,
                                                   const FactorOptions& options, const std::string& name);
// `weight` float32 [rows, columns] on the factor's device.
absl::StatusOr<GptqSolution> SolveGptqOnDevice(const at::Tensor& weight, const ScaleGrid& grid,
                                               const DeviceFactor& factor, const Cancellation& cancellation);

}  // namespace heroq
