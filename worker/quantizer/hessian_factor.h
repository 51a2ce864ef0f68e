#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/quantizer/aligned_buffer.h"
#include "worker/quantizer/kernels.h"

namespace heroq {

struct FactorOptions {
  // lambda: lambda * mean(diag H) is added to the diagonal. Raised tenfold up to 1.0 while the factorisation
  // fails.
  double damping = 0.01;
  // Handle inputs in order of decreasing diag H (ties by index) instead of 0, 1, 2...
  bool act_order = true;
  // Tokens H was summed over. Fewer than twice the inputs, or a damping below 1e-3, makes the factorisation
  // float64: float32 then changes codes.
  int64_t token_count = 0;
};

// How a factorisation came about.
struct DampingRecord {
  // Rungs tried, in order; the last one worked.
  std::vector<double> rungs;
  // What was added to the diagonal: rungs.back() * mean(diag H).
  double shift = 0;
  // Inputs with H_jj = 0.
  int64_t dead_inputs = 0;

  double damping() const { return rungs.back(); }
  bool raised() const { return rungs.size() > 1; }
};

// What GPTQ needs of the second moments of an input: H_damped = U U^T, U upper triangular, in the order
// inputs are handled.
struct HessianFactor {
  int64_t inputs = 0;
  // order[k] is the input handled k-th.
  std::vector<int32_t> order;
  // U_kk^2, in handling order, padded with zeros to a multiple of 8.
  std::vector<float> pivots;
  // V_ik = U_ik / U_kk, the share of the error made at i-th input that the target of a later input k takes:
  // tiles of 8 inputs k, tile t being [8 * (t + 1)][8] (first index i) at FeedbackOffset(t). Zero for inputs
  // past the last.
  AlignedBuffer<float> feedback;
  DampingRecord damping;
};

inline int64_t FeedbackOffset(int64_t tile) { return kTileColumns * kTileColumns * tile * (tile + 1) / 2; }

// Factors H [inputs, inputs] row-major (its lower triangle is read). An input that was zero on every token
// has a zero row: it is decoupled by the damping, so its weights are kept and rounded to nearest.
// NUMERICAL_FAILURE, naming `name` and the rungs tried, when H is not finite, zero altogether, or not
// positive definite with the last rung; there is no other fallback. Deterministic and single-threaded.
absl::StatusOr<HessianFactor> FactorHessian(const Kernels& kernels, absl::Span<const float> second_moment,
                                            int64_t inputs, const FactorOptions& options,
                                            const std::string& name);

// The handling order alone.
std::vector<int32_t> HandlingOrder(absl::Span<const float> diagonal, bool act_order);
// `damping`, then ten times more each up to 1.0.
std::vector<double> DampingLadder(double damping);
// Climbs the ladder until `factor(shift, wide)` gives true; `wide` asks for float64. Errors as FactorHessian.
absl::StatusOr<DampingRecord> ClimbDampingLadder(absl::Span<const float> diagonal,
                                                 const FactorOptions& options, const std::string& name,
                                                 const std::function<bool(double shift, bool wide)>& factor);

}  // namespace heroq
