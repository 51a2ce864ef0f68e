#pragma once

#include <ATen/core/Tensor.h>

#include "common/quant/quant_scheme.h"

namespace heroq {

// Round-to-nearest of groups on their min-max grids, and what its derivative needs.
//
// Q = s (code - z) with s = range / max_code is a staircase in the values. Its straight-through derivative
// takes the rounding residual code - z - x / s as constant, so that inside the grid dQ/dx = 1 and dQ/ds =
// code - z - x / s; outside it dQ/dx = 0 and dQ/ds = code - z. The scale itself moves with the values at the
// ends of the range (ds/dmax = 1 / max_code, ds/dmin = -1 / max_code; symmetric ds/d|x| = 2 / max_code at the
// largest |x|). Without that second path the derivative is the rounding noise alone, and learning on it is
// worse than not learning.
//
// Scales are not rounded to the type they are stored in: that rounding has no derivative.
struct GroupRounding {
  at::Tensor rounded;           // [..., length], Q
  at::Tensor inside;            // bool [..., length], code not clamped
  at::Tensor scale_derivative;  // [..., length], dQ/ds
  // Where the range ends, int64 [..., 1], and what s gains per unit there, [..., 1]. Symmetric: the largest
  // |x| in `top`, `bottom` undefined. Asymmetric ranges hold zero; an end that zero is has slope 0.
  at::Tensor top, top_slope;
  at::Tensor bottom, bottom_slope;
};

// `values` float32 or float64, the groups along its last dimension; computed in that type on its device. Only
// bits and symmetry of `scheme` count. A group of zeros rounds to zeros with derivative one.
GroupRounding RoundGroups(const at::Tensor& values, const QuantScheme& scheme);

// The derivative by the values given the derivative by Q, `upstream` [..., length].
at::Tensor DifferentiateRounding(const GroupRounding& rounding, const at::Tensor& upstream);

}  // namespace heroq
