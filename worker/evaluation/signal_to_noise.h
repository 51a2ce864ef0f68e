#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "worker/calibration/kept_activations.h"

namespace heroq {

// ||x W^T||^2 / ||x W^T - (q What^T + x (W - R)^T)||^2 in decibel over the tokens of `moments`: a linear W
// whose part R is stored as What and meets quantized activations q, while a branch W - R meets x. All [out,
// in], float32; without a branch R is W. nullopt when either side is zero. Throws what LibTorch throws.
std::optional<double> SignalToNoiseDb(const at::Tensor& weight, const at::Tensor& rest,
                                      const at::Tensor& stored, const ActivationMoments& moments);

}  // namespace heroq
