#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "common/quant/quant_scheme.h"

namespace heroq {

// What an orthogonal, block-diagonal R of a linear is judged on: the weight W D and the second moments
// D^-1 H D^-1 before rotation, y = x D^-1 R (W D R)^T. Signs that come before the rotations belong to D.
struct RotationProblem {
  at::Tensor weight;         // W D, [out, in], float32 (float64 in derivative tests)
  at::Tensor second_moment;  // D^-1 H D^-1, [in, in], the type and device of the weight
  // Grid of W D R: bits, groups and symmetry. Groups need not match the blocks.
  QuantScheme scheme;
  // Columns k b .. (k + 1) b are rotated by rotation rotation_of_block[k]: all 0 is one rotation for every
  // block (what a stored online rotation is), 0, 1, 2 ... one for each, and heads may point at the rotation
  // of the key-value head they share.
  std::vector<int64_t> rotation_of_block;
};

// How the error E = Q(W D R) R^T - W D is weighed.
enum class ErrorMetric {
  // tr(E H E^T): the output error of rounding to nearest. For the rtn base quantizer.
  kOutput,
  // tr(E diag(H)^(1/2) E^T). For base quantizers that compensate errors: these leave sum_j U_jj^2 s_j^2 / 12
  // with the pivots U_jj^2 of the factor of H, which are much flatter than H, and on H itself learning spends
  // its steps on directions the solver takes care of. On layers of SmolLM2-135M (4 bits, groups of 64, 60
  // steps) rotations learned this way lowered GPTQ's loss to 0.54-0.76 of a Hadamard's, those learned on H to
  // 0.72-0.92. Also needs no product with H, which is most of the time.
  kRootDiagonal,
};

}  // namespace heroq
