#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "common/model/model_layout.h"
#include "common/quant/quant_scheme.h"
#include "common/quant/quantized_linear.h"
#include "worker/calibration/layer_statistics.h"
#include "worker/transform/spectral_evidence.h"

namespace heroq {

// A linear of a unit that stays dense.
struct DenseLinear {
  std::string name;
  LinearInput input = LinearInput::kAttentionIn;
  // [out, in], finite, the source's dtype or float32, on the worker's device.
  at::Tensor weight;
  LinearRole role = LinearRole::kQuery;
  at::Tensor bias;  // [out]; undefined when the linear has none, or nothing may change it
};

// up down, a part of a linear in high precision that meets activations as they are.
struct LowRankBranch {
  at::Tensor up;    // [out, rank]
  at::Tensor down;  // [rank, in]

  bool defined() const { return up.defined(); }
  int64_t rank() const { return defined() ? up.size(1) : 0; }
};

struct LinearWork : DenseLinear {
  QuantScheme scheme;
  // The linear is `weight` and this: set by methods that split it off. Values are exact in
  // UnitWork::stored_type.
  LowRankBranch branch = {};
};

// How the channels of an attention output belong to heads.
struct HeadGeometry {
  int64_t heads = 0;        // query heads
  int64_t value_heads = 0;  // divides heads: consecutive query heads share a value head
};

// One Quantize task: the linears of a unit and the statistics of their inputs.
struct UnitWork {
  std::vector<LinearWork> linears;
  // Empty when the job has no calibration.
  std::map<LinearInput, LayerStatistics> statistics;

  // The rest is set for methods that transform the unit, and changed by them.
  std::vector<DenseLinear> kept;
  // Gain of the norm that the unit's first linears read: float32 [in], exact in `stored_type`.
  at::Tensor gain;
  c10::ScalarType stored_type = c10::ScalarType::BFloat16;  // of published dense tensors
  HeadGeometry geometry;
  // R [b, b] that loaders multiply an input's blocks by at run time; its linears are W R already.
  std::map<LinearInput, at::Tensor> rotations;
};

// What a method knows of a linear it quantized: the plain twin of proto LinearReport, where the fields are
// documented. The errors of LinearReport are not here: whoever stores the bytes measures them, or holds what
// was counted against them.
struct LinearOutcome {
  // e H e^T of every row's error e, damping not counted, where the solver counts it as it goes; else empty.
  std::vector<double> row_losses;
  std::optional<double> damping;
  bool damping_raised = false;
  std::optional<double> mean_shrink;
  int64_t dead_inputs = 0;
  int64_t token_count = 0;
  std::vector<std::string> warnings;
  // Of a linear in a new basis: what the quantizer would have lost in the one it came in, from a sample of
  // rows.
  std::optional<SpectralEvidence> evidence_before;
};

// The relative loss of one alpha on a sample of rows. Losses on different samples do not compare.
struct AlphaScore {
  double alpha = 0;
  double loss = 0;
  int64_t rows = 0;
};

// What a method did to the basis of one distinct input: the plain twin of proto TransformReport.
struct TransformOutcome {
  LinearInput input = LinearInput::kAttentionIn;
  double alpha = 0;
  std::vector<AlphaScore> curve;  // every score, by rows, then alpha
  std::string rotation;           // "none", "hadamard", "random", "learned"
  int64_t rotation_size = 0;
  // Relative loss of what was chosen and of the input as it was.
  double loss = 0;
  double untransformed_loss = 0;
  // Of a learned rotation: the loss with the one it began as, its steps, why it ended early.
  std::optional<double> hadamard_loss;
  int rotation_steps = 0;
  std::string rotation_note;
};

struct QuantizedUnit {
  std::vector<QuantizedLinear> linears;  // in the order of UnitWork.linears
  std::vector<LinearOutcome> outcomes;
  // Of a method that transforms: the unit in the basis it was quantized in. Stored codes are of these
  // weights.
  std::optional<UnitWork> transformed;
  // Of a method whose result no codes hold: the weights [out, in] that stand for `linears`, float32, in their
  // order and in the basis of the work; `linears` is empty then.
  std::vector<at::Tensor> dense;
  std::vector<TransformOutcome> transforms;
};

// A quantization method over one unit. Deterministic: equal work gives equal bytes within a numeric class.
// Stateless, thread-safe. Errors: NUMERICAL_FAILURE naming the linear, CALIBRATION_REQUIRED, OUT_OF_MEMORY,
// CANCELLED.
class Method {
 public:
  virtual ~Method() = default;
  // `progress` (may be empty) is told the linear about to be worked on and the fraction done.
  using Progress = std::function<void(const std::string& activity, double fraction)>;
  virtual absl::StatusOr<QuantizedUnit> Quantize(const UnitWork& work, const Cancellation& cancellation,
                                                 const Progress& progress) const = 0;
};

}  // namespace heroq
