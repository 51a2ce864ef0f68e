#pragma once

#include <cstdint>

#include "worker/device/isa.h"

// Nothing else is included (worker/device/isa.h).
namespace heroq {

// What a decoder block computes between its matrix products, on rows of bfloat16 (their bits), each in one
// pass over memory with float32 inside. Rounding is to nearest even, at the points where the same LibTorch
// operators on bfloat16 tensors round. NaN in a row gives NaN. Variants differ in the order of sums and in
// fused multiply and add. `out` is the argument itself or does not overlap it.
struct BlockKernels {
  // out = bf16(bf16(x / sqrt(mean(x^2) + epsilon)) * gain).
  void (*rms_norm)(const uint16_t* x, const uint16_t* gain, float epsilon, int64_t width, uint16_t* out);
  // out = bf16(bf16(silu(gate)) * up), silu(g) = g / (1 + exp(-g)).
  void (*silu_multiply)(const uint16_t* gate, const uint16_t* up, int64_t count, uint16_t* out);
  // The halves (a, b) of a head become (bf16(bf16(a c) - b s), bf16(bf16(b c) + a s)), in place. `cosine` and
  // `sine` [half].
  void (*rotate)(const uint16_t* cosine, const uint16_t* sine, int64_t half, uint16_t* head);
  // weights = exp(scale (scores - max)) of the first `valid` (at least 1) scores, zeros up to `width`, a
  // multiple of 16; gives the sum of the weights before they are rounded. `weights` may start where the
  // scores do.
  float (*softmax_bf16)(float* scores, float scale, int64_t valid, int64_t width, uint16_t* weights);
  // The same, the weights replacing the scores unrounded.
  float (*softmax_f32)(float* scores, float scale, int64_t valid, int64_t width);
  // out = bf16(scale * x).
  void (*scale_to_bf16)(const float* x, float scale, int64_t count, uint16_t* out);
  // Sum of x^2.
  float (*sum_of_squares)(const uint16_t* x, int64_t count);
};

// `isa` must be supported.
const BlockKernels& BlockKernelsFor(Isa isa);

}  // namespace heroq
