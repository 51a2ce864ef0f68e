#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "common/quant/quant_scheme.h"
#include "worker/transform/rotation_learning.h"

namespace heroq {

// One alpha of the search and its diagonal D [in], positive.
struct AlphaCandidate {
  double alpha = 0;
  at::Tensor scale;
};

// The error tr(E H E^T) a base quantizer makes on `weight` [out, in] with `second_moment` [in, in].
using BaseQuantizerLoss =
    std::function<absl::StatusOr<double>(const at::Tensor& weight, const at::Tensor& second_moment)>;

struct AlphaOutcome {
  double alpha = 0;
  // The base quantizer's loss over tr(W H W^T), with the learned rotation.
  double loss = 0;
  // The same with the initial rotation.
  double unlearned_loss = 0;
  LearnedRotation learned;  // rotations [1, in, in]
};

struct ExactSearchResult {
  std::vector<AlphaOutcome> curve;  // in the order of the candidates
  size_t best = 0;                  // index into curve; the first one on ties
};

// Algorithm 1 of the HeRo-Q paper: for every alpha learn one dense rotation R of all inputs, quantize W D R
// with the base quantizer, and keep the pair with the least output error. `weight` W [out, in] and
// `second_moment` H [in, in] float32, `initial` [in, in] orthogonal. A rotation step costs 4 out in^2 + 3
// in^3 multiply-adds, 200 steps an alpha: for small inputs, and as the reference of the search with blocks.
// The paper leaves the objective of R open: `rotation.metric`.
//
// Where learning diverges the initial rotation stands for that alpha (AlphaOutcome::learned says so).
// Deterministic, single-threaded but for the base quantizer; throws c10::Error. INTERNAL when nothing is to
// be searched or shapes do not fit, NUMERICAL_FAILURE when W H W^T is zero, errors of the base quantizer,
// CANCELLED.
absl::StatusOr<ExactSearchResult> ExactSearch(const at::Tensor& weight, const at::Tensor& second_moment,
                                              const QuantScheme& scheme, const at::Tensor& initial,
                                              const std::vector<AlphaCandidate>& candidates,
                                              const RotationOptions& rotation,
                                              const BaseQuantizerLoss& base_quantizer,
                                              const Cancellation& cancellation);

}  // namespace heroq
