#include "coordinator/planning/cost_model.h"

#include <algorithm>
#include <map>
#include <utility>

#include "coordinator/planning/activation_regime.h"
#include "coordinator/planning/alpha_rounds.h"
#include "coordinator/planning/base_method.h"
#include "coordinator/planning/block_shape.h"
#include "coordinator/planning/memory_model.h"
#include "coordinator/planning/task_graph.h"
#include "coordinator/planning/transform_trials.h"

namespace heroq {
namespace {

constexpr int64_t kFloat = 4;
// Rows of the linears of one input that AWQ scores a ratio on.
constexpr int64_t kAwqScoreRows = 512;
// Rows that SmoothQuant reports the loss of.
constexpr int64_t kSmoothQuantScoreRows = 128;

// The model as the cost formulas see it.
struct Sizes {
  int64_t compute_bytes = 2;  // of one value in the compute type
  int64_t block_weights = 0;  // of all blocks
  int64_t head_weights = 0;
  int64_t squares = 0;       // sum of in^2 over the distinct inputs of all blocks
  int64_t kept_inputs = 0;   // sum of in over the distinct inputs of all blocks that keep activations
  int64_t kept_squares = 0;  // sum of in^2 over the same
  int64_t kept_tokens = 0;   // of every input of such a block
};

Sizes Measure(const v1::Plan& plan, const ModelLayout& layout) {
  Sizes sizes;
  sizes.compute_bytes = plan.compute_type() == "f32" ? 4 : 2;
  sizes.head_weights = layout.vocab_size * layout.hidden_size;
  for (size_t index = 0; index < layout.blocks.size(); ++index) {
    const BlockShape shape = ShapeOf(layout.blocks[index]);
    if (const int64_t kept = KeptTokens(plan, static_cast<int>(index)); kept > 0) {
      sizes.kept_tokens = kept;
      sizes.kept_inputs += shape.width;
      sizes.kept_squares += shape.squares;
    }
    sizes.block_weights += shape.weights;
    sizes.squares += shape.squares;
  }
  return sizes;
}

int64_t ShardSequences(const v1::CalibrationSpec& calibration) {
  const int64_t shards = std::max(1, calibration.shards());
  return (calibration.samples() + shards - 1) / shards;
}

int64_t HiddenBytesOfShard(const v1::Plan& plan, const ModelLayout& layout, const Sizes& sizes) {
  return ShardSequences(plan.calibration()) * plan.calibration().sequence_length() * layout.hidden_size *
         sizes.compute_bytes;
}

// What a resolved method does with the linears of one input of `width` channels.
struct Search {
  // Bases that are scored, and rows scored, summed over the bases.
  int64_t scores = 0;
  int64_t scored_rows = 0;
};

Search SearchOf(v1::MethodSpec method, int64_t width) {
  Search search;
  if (method.has_hero_q()) {
    const AlphaRounds rounds = AlphaRoundsOf(method.hero_q(), width);
    search.scores += rounds.bases;
    search.scored_rows += rounds.rows;
  }
  if (method.has_smoothquant()) {
    search.scores += 2;
    search.scored_rows += 2 * kSmoothQuantScoreRows;
  }
  if (const v1::AwqParameters* awq = FindAwq(method).parameters; awq != nullptr) {
    search.scores += awq->steps() + 1;
    search.scored_rows += (awq->steps() + 1) * kAwqScoreRows;
  }
  return search;
}

double SolverFlops(const v1::Plan& plan) {
  v1::MethodSpec method = plan.method();
  const bool factors = FindGptq(method).parameters != nullptr;
  double flops = 0;
  for (const v1::PlannedUnit& unit : plan.units()) {
    std::map<std::string, int64_t> inputs;
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const double in = static_cast<double>(linear.in_features());
      const double out = static_cast<double>(linear.out_features());
      inputs[linear.input()] = linear.in_features();
      flops += factors ? out * in * in : 2 * out * in;
    }
    for (const auto& [input, width] : inputs) {
      const Search search = SearchOf(method, width);
      const double in = static_cast<double>(width);
      if (factors) flops += static_cast<double>(1 + search.scores) * in * in * in / 3;
      flops += static_cast<double>(search.scored_rows) * in * in;
    }
  }
  return flops;
}

double ForwardFlops(const ModelLayout& layout, int64_t weights, double tokens, double length) {
  const double attention =
      2.0 * layout.block_count * layout.head_count * layout.head_dim * length;  // causal: half of 4
  return tokens * (2.0 * weights + attention);
}

// Another run over the same layers, and its files beside those of the first.
void AddTrial(int64_t written, v1::CostEstimate& cost) {
  cost.set_bytes_read(2 * cost.bytes_read());
  cost.set_bytes_written(2 * written);
  cost.set_disk_bytes(cost.disk_bytes() + written);
  cost.set_task_count(2 * cost.task_count());
  cost.set_forward_flops(2 * cost.forward_flops());
  cost.set_statistics_flops(2 * cost.statistics_flops());
  cost.set_solver_flops(2 * cost.solver_flops());
}

// Of a job that tries transforms, which evaluates every trial.
WorkerMemory TrialMemory(v1::Plan plan, const ModelLayout& layout) {
  *plan.mutable_evaluation() = EvaluationOfTrials(plan.calibration());
  return EstimateWorkerMemory(plan, layout);
}

}  // namespace

v1::CostEstimate EstimateCost(const v1::Plan& plan, const ModelLayout& layout, int64_t source_bytes) {
  const Sizes sizes = Measure(plan, layout);
  const bool calibrated = plan.calibration().has_source();
  const bool evaluated = plan.evaluation().has_source();
  v1::CostEstimate cost;
  cost.set_bytes_read(source_bytes);
  int64_t written = 0;
  for (const v1::PlannedFile& file : plan.files()) {
    written += static_cast<int64_t>(file.header().size());
    for (const v1::PlannedTensor& tensor : file.tensors()) written += tensor.end() - tensor.begin();
  }
  cost.set_bytes_written(written);

  WorkerMemory memory = EstimateWorkerMemory(plan, layout);
  if (TriesTransforms(plan.method())) {
    WorkerMemory trial = TrialMemory(plan, layout);
    if (trial.bytes > memory.bytes) memory = std::move(trial);
  }
  cost.set_worker_peak_memory_bytes(memory.bytes);
  cost.set_worker_peak_phase(std::move(memory.phase));

  // Staged files and the unit results they were made of; moments of every block and two generations of hidden
  // states.
  int64_t disk = 2 * written;
  double tokens = 0;
  if (calibrated) {
    const v1::CalibrationSpec& calibration = plan.calibration();
    disk += calibration.shards() * (sizes.squares * kFloat / 2 + 2 * HiddenBytesOfShard(plan, layout, sizes));
    disk += sizes.kept_tokens * sizes.kept_inputs * sizes.compute_bytes;
    tokens = 1.0 * calibration.samples() * calibration.sequence_length();
    const int passes = calibration.propagation() == v1::PROPAGATION_QUANTIZED ? 2 : 1;
    cost.set_forward_flops(passes *
                           ForwardFlops(layout, sizes.block_weights, tokens, calibration.sequence_length()));
    cost.set_statistics_flops(2.0 * sizes.squares * tokens + 6.0 * sizes.kept_squares * sizes.kept_tokens);
  }
  if (evaluated) {
    const double read = 1.0 * plan.evaluation().sequences() * plan.evaluation().sequence_length();
    cost.set_forward_flops(cost.forward_flops() +
                           2 * ForwardFlops(layout, sizes.block_weights + sizes.head_weights, read,
                                            plan.evaluation().sequence_length()));
  }
  cost.set_disk_bytes(disk);

  cost.set_solver_flops(SolverFlops(plan));

  // The graph asks for token blobs, which exist only once texts are read.
  v1::Plan counted;
  *counted.mutable_calibration() = plan.calibration();
  *counted.mutable_evaluation() = plan.evaluation();
  *counted.mutable_units() = plan.units();
  counted.set_block_count(plan.block_count());
  if (calibrated) counted.mutable_calibration_tokens();
  if (evaluated) counted.mutable_evaluation_tokens();
  cost.set_task_count(static_cast<int>(TaskGraph::Build(counted).nodes().size()));
  if (TriesTransforms(plan.method())) AddTrial(written, cost);
  return cost;
}

}  // namespace heroq
