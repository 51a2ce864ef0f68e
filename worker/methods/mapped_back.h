#pragma once

#include "absl/status/statusor.h"
#include "worker/methods/hero_q_method.h"
#include "worker/methods/method.h"

namespace heroq {

// Algorithm 1 of the HeRo-Q paper as it is printed (numerics section 3, `evaluation`): every linear has a
// transform T = D^-1 R of its own, W D R is quantized by `base`, and What = Q(W D R) R^T D^-1 is mapped back:
// dense weights on no grid, in the basis the linear came in. Learned rotations are one per block of 128
// channels or less; with HeroQOptions::exact R is one dense matrix, learned for every alpha (ExactSearch).
// Sets QuantizedUnit::dense, one outcome per linear in `transforms`. Contract as Method::Quantize.
absl::StatusOr<QuantizedUnit> QuantizeMappedBack(const UnitWork& work, const HeroQOptions& options,
                                                 const Method& base, const Cancellation& cancellation,
                                                 const Method::Progress& progress);

}  // namespace heroq
