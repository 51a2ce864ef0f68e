#include "coordinator/planning/memory_model.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <numeric>

#include "common/process/worker_memory.h"
#include "coordinator/planning/activation_regime.h"
#include "coordinator/planning/alpha_rounds.h"
#include "coordinator/planning/base_method.h"
#include "coordinator/planning/block_shape.h"
#include "coordinator/planning/rewritten_tensors.h"

namespace heroq {
namespace {

// What a worker process holds before its first task, most of it pages of libraries, what LibTorch adds with
// the first forward pass, kernels and scratch, and with the linear algebra of a search.
constexpr int64_t kProcessBytes = int64_t{142} << 20;
constexpr int64_t kForwardBytes = int64_t{20} << 20;
constexpr int64_t kSearchBytes = int64_t{12} << 20;
// Blocks that were freed and not given back, and what tasks hold besides the matrices below.
constexpr double kSlack = 1.06;
constexpr int64_t kFloat = 4;
// Tokens whose activations are packed for their second moments, in two forms
// (worker/calibration/gram_kernel.cc).
constexpr int64_t kPackedTokens = 1024;
// An upper bound of what LibTorch's attention holds of scores: those of so many query positions, for every
// head, each as score, softmax and weight.
constexpr int64_t kAttentionTile = 64;
constexpr int64_t kScoreBytes = 4 + 4 + 2;
// Rows of logits compared at once, and vectors of the vocabulary's size that are held for each: logits of
// both models, their logarithms, difference and exponential (worker/agent/evaluate_task.cc).
constexpr int64_t kLogitRows = 256;
constexpr int64_t kLogitCopies = 6;
// Packed rows of a factor at a time (worker/quantizer/reverse_cholesky.cc), in two forms.
constexpr int64_t kFactorPanel = 192;
// Rows the solver holds at a time (worker/quantizer/gptq.cc), with weight, error and code of each.
constexpr int64_t kSolverRows = 8 * 48;
constexpr int64_t kSolverBytes = 4 + 1;

int64_t ComputeBytes(const v1::Plan& plan) { return plan.compute_type() == "f32" ? 4 : 2; }

// Hidden states, weights and second moments of a block.
class BlockMemory {
 public:
  BlockMemory(const v1::Plan& plan, const ModelLayout& layout) : plan_(plan), layout_(layout) {
    for (size_t index = 0; index < layout.blocks.size(); ++index) {
      const BlockShape shape = ShapeOf(layout.blocks[index]);
      weights_ = std::max(weights_, shape.weights);
      squares_ = std::max(squares_, shape.squares);
      widest_ = std::max(widest_, shape.widest);
      kept_values_ = std::max(kept_values_, KeptTokens(plan, static_cast<int>(index)) * shape.width);
    }
  }

  int64_t Weights() const { return weights_ * ComputeBytes(plan_); }

  // The widest point of a block's forward pass over one micro-batch.
  int64_t Forward(int64_t sequences, int64_t length) const {
    const int64_t tokens = sequences * length, compute = ComputeBytes(plan_);
    const int64_t hidden = layout_.hidden_size;
    const int64_t query = layout_.head_count * layout_.head_dim;
    const int64_t key = layout_.kv_head_count * layout_.head_dim;
    // Kernels of bfloat16 (worker/forward/block_kernels.h) keep rows and scores in caches.
    const bool tiled = compute == 2;
    const int64_t norm = tokens * hidden * (2 * compute + (tiled ? 0 : 3 * kFloat));
    const int64_t scores =
        tiled ? 0 : sequences * layout_.head_count * std::min(length, kAttentionTile) * length * kScoreBytes;
    // Queries before and after their rotation and what they become; keys and values, and both packed.
    const int64_t attention =
        tokens * (compute * (2 * hidden + 3 * query + 3 * key) + 2 * kFloat * key) + scores;
    const int64_t mlp = tokens * compute * (3 * hidden + 2 * layout_.intermediate_size);
    return std::max({norm, attention, mlp});
  }

  // Hidden states kept for the next block, whatever a worker does meanwhile.
  int64_t CachedStates() const {
    return plan_.calibration().has_source() ? std::min(Shards() * HiddenStates(), kHiddenStateCacheBytes) : 0;
  }

  int64_t Capture() const {
    const v1::CalibrationSpec& calibration = plan_.calibration();
    const int64_t shards = Shards();
    const int64_t length = calibration.sequence_length();
    const int64_t in_shard = SequencesInShard();
    // Sums over ranges of shards that wait for their other half, packed; the shard's own beside them, packed
    // too where a kernel sums bfloat16.
    int64_t pending = 1;
    while ((int64_t{1} << (pending - 1)) < shards) ++pending;
    const int64_t own = squares_ * kFloat / (ComputeBytes(plan_) == 2 ? 2 : 1);
    const int64_t moments = own + pending * squares_ * kFloat / 2;
    // Of the shard, before, after and on their way to the store.
    const int64_t states = 3 * HiddenStates() + CachedStates();
    const int64_t micro_batch = std::min<int64_t>(calibration.micro_batch(), in_shard);
    // Kept rows, and once more as they are joined and stored.
    const int64_t packed = 2 * std::min(kPackedTokens, micro_batch * length) * widest_ * ComputeBytes(plan_);
    return Weights() + moments + packed + states + Forward(micro_batch, length) +
           2 * kept_values_ * ComputeBytes(plan_);
  }

  int64_t Evaluate() const {
    const v1::EvaluationSpec& evaluation = plan_.evaluation();
    const int64_t length = evaluation.sequence_length();
    const int64_t sequences = (evaluation.sequences() + 7) / 8;
    const int64_t compute = ComputeBytes(plan_);
    const int64_t hidden = sequences * length * layout_.hidden_size * compute;
    const int64_t micro_batch = std::min<int64_t>(plan_.calibration().micro_batch(), sequences);
    const int64_t head = layout_.vocab_size * layout_.hidden_size * compute;
    const int64_t logits = std::min(length, kLogitRows) * layout_.vocab_size * kFloat * kLogitCopies;
    // Both models go through a block in turn.
    return 2 * hidden + std::max(Weights() + Forward(micro_batch, length), 2 * head + logits);
  }

 private:
  int64_t Shards() const { return std::max(1, plan_.calibration().shards()); }
  int64_t SequencesInShard() const { return (plan_.calibration().samples() + Shards() - 1) / Shards(); }
  // Of a shard.
  int64_t HiddenStates() const {
    return SequencesInShard() * plan_.calibration().sequence_length() * layout_.hidden_size *
           ComputeBytes(plan_);
  }

  const v1::Plan& plan_;
  const ModelLayout& layout_;
  int64_t weights_ = 0;
  int64_t squares_ = 0;
  int64_t widest_ = 0;
  int64_t kept_values_ = 0;
};

struct InputMemory {
  int64_t width = 0;
  int64_t stacked = 0;  // weights of the linears that read it
  int64_t square() const { return width * width * kFloat; }
};

bool Factors(v1::MethodSpec method) { return FindGptq(method).parameters != nullptr; }

// Where the second moments of an input are factored, the damped matrix and what is left of it.
int64_t Factor(const v1::Plan& plan, int64_t width) {
  if (!Factors(plan.method())) return 0;
  const v1::CalibrationSpec& calibration = plan.calibration();
  const bool wide = int64_t{calibration.samples()} * calibration.sequence_length() < 2 * width;
  const int64_t value = wide ? 8 : kFloat;
  return width * width * value + width * width / 2 * kFloat + 2 * width * kFactorPanel * value;
}

// Whether inputs are rotated, not only scaled.
bool RotatesInputs(const v1::MethodSpec& method) {
  const v1::Transform transform = method.hero_q().transform();
  return method.has_hero_q() && (transform == v1::TRANSFORM_ONLINE || transform == v1::TRANSFORM_EVALUATION);
}

// What bases that were tried leave behind in pieces too small for the next: several squares of the input
// where rotations pass over it, else as much as candidates for alpha held.
int64_t Pieces(bool rotates, int64_t searched, int64_t square) {
  return std::min(rotates ? 7 * square : searched, kKeptFreedBytes);
}

int64_t RewrittenValues(const v1::PlannedUnit& unit) {
  int64_t values = 0;
  for (const v1::RewrittenTensor& tensor : unit.tensors()) {
    values += std::accumulate(tensor.shape().begin(), tensor.shape().end(), int64_t{1}, std::multiplies<>());
  }
  return values;
}

int64_t QuantizeInBlock(const v1::Plan& plan, const v1::PlannedUnit& unit) {
  int64_t weights = 0, largest = 0, codes = 0;
  std::map<std::string, InputMemory> inputs;
  for (const v1::PlannedLinear& linear : unit.linears()) {
    const int64_t size = linear.out_features() * linear.in_features();
    InputMemory& input = inputs[linear.input()];
    input.width = linear.in_features();
    input.stacked += size;
    weights += size;
    largest = std::max(largest, size);
    codes += size * linear.scheme().weight_bits() / 8 + size / 8;
  }
  const int64_t rewritten = RewrittenValues(unit);
  int64_t squares = 0, reading = 0, solving = 0, kept = 0;
  const int64_t rows = KeptTokens(plan, unit.block());
  const bool changes_bases = ChangesBases(plan.method());
  const bool rotates = RotatesInputs(plan.method());
  for (const auto& [name, input] : inputs) {
    squares += input.square();
    // A sum and the part that is added to it, both packed; then the sum and its square.
    reading = std::max(reading, input.square() / 2);
    const int64_t factor = Factor(plan, input.width);
    const int64_t solver =
        std::max(factor, factor == 0 ? 0 : input.square() / 2 + kSolverRows * input.width * kSolverBytes) +
        input.stacked * (kFloat + 1);
    // Moments on the way to another basis, and what the bases to choose from hold.
    const int64_t moved = changes_bases ? 2 * input.square() : 0;
    const int64_t searched =
        plan.method().has_hero_q() ? AlphaRoundsOf(plan.method().hero_q(), input.width).held_bytes : 0;
    // Rotations are learned on weights, their stack and the stack in pieces.
    const int64_t learning = rotates ? moved + 3 * input.stacked * kFloat : 0;
    // Kept rows on the way to another basis.
    const int64_t carried = changes_bases ? 2 * rows * input.width * kFloat : 0;
    solving = std::max(solving, std::max({solver + moved + searched, learning, carried}) +
                                    Pieces(rotates, searched, input.square()));
    // Kept rows twice while they are read, quantized and residual ones, and what they sum to.
    if (rows > 0) kept += 3 * rows * input.width * ComputeBytes(plan) + 4 * input.square();
  }
  if (!plan.calibration().has_source()) squares = reading = 0;
  const int64_t bases = changes_bases ? 2 : 1;
  const int64_t held = bases * (weights * kFloat + squares) + kept;
  // The report compares what was stored: codes of the unit in three forms, one linear dense and in bfloat16,
  // and folded moments.
  const int64_t report = 3 * codes + largest * (kFloat + 2) + squares / 2;
  return held + std::max({reading, solving, report}) + codes + 3 * rewritten * kFloat;
}

// Each tensor as values, stored, and serialized beside the others.
int64_t RewriteOutsideBlocks(const v1::Plan& plan, const v1::PlannedUnit& unit) {
  return 3 * RewrittenValues(unit) * ComputeBytes(plan);
}

int64_t Quantize(const v1::Plan& plan) {
  int64_t most = 0;
  for (const v1::PlannedUnit& unit : plan.units()) {
    most = std::max(most, unit.block() < 0 ? RewriteOutsideBlocks(plan, unit) : QuantizeInBlock(plan, unit));
  }
  return most;
}

}  // namespace

WorkerMemory EstimateWorkerMemory(const v1::Plan& plan, const ModelLayout& layout) {
  const BlockMemory block(plan, layout);
  const std::array<WorkerMemory, 3> phases = {
      {{plan.calibration().has_source() ? block.Capture() : 0, "calibration"},
       {Quantize(plan) + block.CachedStates(), "quantization"},
       {plan.evaluation().has_source() ? block.Evaluate() : 0, "evaluation"}}};
  WorkerMemory most =
      *std::max_element(phases.begin(), phases.end(),
                        [](const WorkerMemory& a, const WorkerMemory& b) { return a.bytes < b.bytes; });
  const bool runs_forward = plan.calibration().has_source() || plan.evaluation().has_source();
  most.bytes = kProcessBytes + (runs_forward ? kForwardBytes : 0) +
               (ChangesBases(plan.method()) ? kSearchBytes : 0) +
               static_cast<int64_t>(kSlack * static_cast<double>(most.bytes));
  return most;
}

}  // namespace heroq
