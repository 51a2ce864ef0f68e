#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/methods/method.h"
#include "worker/transform/input_transform.h"

namespace heroq {

// How well linears that share an input would be quantized in another basis of it: the quantizer's own error
// on a sample of their rows, tr(E H E^T) / tr(W H W^T) with E and H in that basis, which is the relative
// squared error of their outputs in any basis (H includes no damping). Copies nothing of `work` but the rows.
// Deterministic.
class TransformScore {
 public:
  // `base` and `cancellation` outlive this. `rows` bounds the sample over all quantized linears that read
  // `input`, taken at even distances. Requires statistics of the input and at least one quantized reader.
  TransformScore(const UnitWork& work, LinearInput input, int64_t rows, const Method& base,
                 const Cancellation& cancellation);

  // What a linear loses on its rows of the sample.
  struct RowErrors {
    std::string name;
    at::Tensor error;          // E, float32 [rows, in]
    double output_error = 0;   // tr(E H E^T)
    double output_energy = 0;  // tr(W H W^T)
  };

  // One entry per quantized reader. Errors are those of the base method. Throws what LibTorch throws.
  absl::StatusOr<std::vector<RowErrors>> Errors(const InputTransform& transform) const;

  // Their sum, relative.
  static double Relative(const std::vector<RowErrors>& errors);
  absl::StatusOr<double> operator()(const InputTransform& transform) const;

  // [in]: diag H.
  const at::Tensor& diagonal() const { return diagonal_; }

 private:
  const Method& base_;
  const Cancellation& cancellation_;
  UnitWork sample_;
  at::Tensor diagonal_;
};

// Values of alpha to score.
struct AlphaGrid {
  std::vector<double> alphas;  // increasing, in [0, 1]
  // After the grid: this far on both sides of the best, when it lies inside the grid's range; 0 is no
  // refinement.
  double refine_step = 0;
};

struct AlphaChoice {
  double alpha = 0;
  double score = 0;
  std::vector<std::pair<double, double>> curve;  // alpha, score; increasing in alpha
};

// The alpha with the lowest score, the smaller one on ties. `score` is called once per alpha.
absl::StatusOr<AlphaChoice> SearchAlpha(const AlphaGrid& grid,
                                        const std::function<absl::StatusOr<double>(double alpha)>& score);

}  // namespace heroq
