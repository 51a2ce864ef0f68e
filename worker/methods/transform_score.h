#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "worker/methods/gptq_options.h"
#include "worker/methods/method.h"
#include "worker/methods/rtn_method.h"
#include "worker/transform/input_transform.h"

namespace heroq {

// How well linears that share an input would be quantized in another basis of it: the quantizer's own error
// on a sample of their rows, tr(E H E^T) / tr(W H W^T) with E in that basis, which is the relative squared
// error of their outputs in any basis. H includes no damping, whose share differs from basis to basis.
// Copies nothing of `work` but the rows. Deterministic; all functions throw what LibTorch throws.
class TransformScore {
 public:
  using Quantizer = std::variant<GptqOptions, RtnOptions>;

  // `cancellation` outlives this. `rows` bounds the sample over all quantized linears that read `input`,
  // taken at even distances. Requires statistics of the input and at least one quantized reader.
  TransformScore(const UnitWork& work, LinearInput input, int64_t rows, const Quantizer& quantizer,
                 const Cancellation& cancellation);

  // A basis that is scored on more and more rows: what depends on the basis alone is made once. Holds the
  // factor of its second moments, or their products with errors: half of [in, in] in float32. Refers to the
  // TransformScore.
  class Candidate {
   public:
    ~Candidate();
    // The loss on the first `rows` rows of the sample, which are spread over all of them, or on all it has.
    // `rows` does not fall from call to call. Errors are those of the base method.
    absl::StatusOr<double> Loss(int64_t rows);

   private:
    friend class TransformScore;
    struct Basis;
    explicit Candidate(std::unique_ptr<Basis> basis);
    std::unique_ptr<Basis> basis_;
  };
  absl::StatusOr<std::unique_ptr<Candidate>> Prepare(const InputTransform& transform) const;

  // The loss on all rows.
  absl::StatusOr<double> operator()(const InputTransform& transform) const;

  // What a linear loses on its rows of the sample.
  struct RowErrors {
    std::string name;
    at::Tensor error;         // E, float32 [rows, in]
    double output_error = 0;  // tr(E H E^T)
  };
  // One entry per quantized reader, and the loss they add up to. Errors are those of the base method.
  struct Errors {
    std::vector<RowErrors> linears;
    double loss = 0;
  };
  absl::StatusOr<Errors> ErrorsOf(const InputTransform& transform) const;

  // Rows of the sample.
  int64_t rows() const;
  // [in]: diag H.
  const at::Tensor& diagonal() const { return diagonal_; }

 private:
  // Rows that share a grid, in the order in which they are scored.
  struct Stack {
    QuantScheme scheme;
    at::Tensor weight;             // float32 [rows, in]
    std::vector<size_t> linears;   // of a row: index into names_
    std::vector<double> energies;  // of a row: w H w^T
  };

  const Quantizer quantizer_;
  const Cancellation& cancellation_;
  LayerStatistics statistics_;
  at::Tensor diagonal_;
  std::vector<std::string> names_;
  std::vector<Stack> stacks_;
};

}  // namespace heroq
