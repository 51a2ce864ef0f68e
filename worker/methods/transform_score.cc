#include "worker/methods/transform_score.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "common/status/status_macros.h"
#include "worker/methods/host_matrix.h"
#include "worker/methods/input_solver.h"
#include "worker/methods/input_statistics.h"
#include "worker/methods/linear_stacks.h"
#include "worker/quantizer/output_energy.h"
#include "worker/quantizer/rtn.h"

namespace heroq {
namespace {

at::Tensor SelectRows(const at::Tensor& weight, const std::vector<int64_t>& rows) {
  return at::index_select(weight, 0, at::tensor(rows, at::kLong).to(weight.device()));
}

at::Tensor SampleRows(const at::Tensor& weight, int64_t count) {
  const int64_t rows = weight.size(0);
  if (rows <= count) return weight;
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < count; ++i) chosen.push_back((2 * i + 1) * rows / (2 * count));
  return SelectRows(weight, chosen);
}

// 0 to count - 1 in the order of their reversed bits: every prefix is spread over the whole range.
std::vector<int64_t> SpreadOrder(int64_t count) {
  int bits = 0;
  while ((int64_t{1} << bits) < count) ++bits;
  std::vector<int64_t> order;
  for (int64_t i = 0; i < int64_t{1} << bits; ++i) {
    int64_t reversed = 0;
    for (int bit = 0; bit < bits; ++bit) reversed |= (i >> bit & 1) << (bits - 1 - bit);
    if (reversed < count) order.push_back(reversed);
  }
  return order;
}

// What is stored minus `weight`, a HostMatrix.
at::Tensor ErrorOf(const at::Tensor& weight, const ScaleGrid& grid, absl::Span<const uint8_t> codes) {
  at::Tensor error = at::empty_like(weight);
  const float* values = weight.const_data_ptr<float>();
  float* errors = error.mutable_data_ptr<float>();
  const int64_t length = grid.scheme.group_length(grid.columns);
  const int64_t groups = grid.groups();
  for (int64_t row = 0; row < grid.rows; ++row) {
    for (int64_t column = 0; column < grid.columns; ++column) {
      const int64_t group = row * groups + column / length;
      const int64_t at = row * grid.columns + column;
      errors[at] = grid.scales[group] * static_cast<float>(codes[at] - grid.zeros[group]) - values[at];
    }
  }
  return error;
}

}  // namespace

struct TransformScore::Candidate::Basis {
  Basis(const TransformScore& owner, InputTransform of) : score(owner), transform(std::move(of)) {}

  const TransformScore& score;
  const InputTransform transform;
  // Either is set.
  std::optional<InputSolver> solver;
  std::optional<OutputEnergy> energy;
  GridOptions grid;  // of rounding to nearest
  std::vector<float> diagonal;

  // Of the rows scored so far, which begin every stack.
  std::vector<int64_t> scored;
  double lost = 0;
  double total = 0;

  struct Rows {
    at::Tensor weight;  // HostMatrix, in this basis
    ScaleGrid grid;
    std::vector<uint8_t> codes;
    std::vector<double> losses;  // of rows, from the solver

    at::Tensor error() const { return ErrorOf(weight, grid, codes); }
  };

  absl::StatusOr<Rows> Quantize(const Stack& stack, int64_t begin, int64_t end) const {
    HEROQ_RETURN_IF_ERROR(score.cancellation_.Check());
    Rows rows;
    rows.weight = HostMatrix(TransformWeight(stack.weight.slice(0, begin, end), transform));
    const std::string& name = score.names_[stack.linears.front()];
    if (solver.has_value()) {
      HEROQ_ASSIGN_OR_RETURN(InputSolver::Rows solved,
                             solver->Solve(rows.weight, stack.scheme, name, score.cancellation_));
      rows.grid = std::move(solved.grid);
      rows.codes = std::move(solved.solution.codes);
      rows.losses = std::move(solved.solution.loss);
      return rows;
    }
    GridOptions options = grid;
    options.importance = diagonal;
    HEROQ_ASSIGN_OR_RETURN(rows.grid,
                           MakeGrid(KernelsFor(BestIsa()), Values(rows.weight), rows.weight.size(0),
                                    rows.weight.size(1), stack.scheme, options, name));
    rows.codes = RoundToGrid(Values(rows.weight), rows.grid);
    return rows;
  }

  // tr(E H E^T) of the rows with these numbers, whose errors are `error`.
  double LossOf(const Rows& rows, const std::vector<int64_t>& numbers, const at::Tensor& error) const {
    if (energy.has_value()) return energy->Of(Values(error), error.size(0));
    double loss = 0;
    for (const int64_t row : numbers) loss += rows.losses[row];
    return loss;
  }
};

TransformScore::Candidate::Candidate(std::unique_ptr<Basis> basis) : basis_(std::move(basis)) {}
TransformScore::Candidate::~Candidate() = default;

TransformScore::TransformScore(const UnitWork& work, LinearInput input, int64_t rows,
                               const Quantizer& quantizer, const Cancellation& cancellation)
    : quantizer_(quantizer), cancellation_(cancellation), statistics_(work.statistics.at(input)) {
  // Activations are scored as they are: rounding them anew for every basis would cost more than the search.
  statistics_.kept = nullptr;
  diagonal_ = statistics_.second_moment.diagonal().clone();
  UnitWork sample;
  int64_t total = 0;
  for (const LinearWork& linear : work.linears) {
    if (linear.input == input) total += linear.weight.size(0);
  }
  for (const LinearWork& linear : work.linears) {
    if (linear.input != input) continue;
    LinearWork& sampled = sample.linears.emplace_back(linear);
    const int64_t share = std::max<int64_t>(1, rows * linear.weight.size(0) / total);
    sampled.weight = SampleRows(linear.weight, share).to(at::kFloat);
    names_.push_back(linear.name);
  }
  const at::Tensor moments = statistics_.second_moment.to(at::kFloat);
  const std::vector<InputStacks> inputs = StackLinears(sample);
  for (const LinearStack& stacked : inputs.front().stacks) {
    Stack& stack = stacks_.emplace_back();
    stack.scheme = sample.linears[stacked.members.front()].scheme;
    std::vector<at::Tensor> parts;
    std::vector<size_t> linears;
    for (const size_t member : stacked.members) {
      const at::Tensor& part = parts.emplace_back(sample.linears[member].weight);
      linears.insert(linears.end(), part.size(0), member);
    }
    const std::vector<int64_t> order = SpreadOrder(static_cast<int64_t>(linears.size()));
    stack.weight = SelectRows(at::cat(parts), order);
    for (const int64_t row : order) stack.linears.push_back(linears[row]);
    const at::Tensor energies = stack.weight.mm(moments.to(stack.weight.device()))
                                    .mul_(stack.weight)
                                    .sum(1, false, at::kDouble)
                                    .cpu();
    const double* values = energies.const_data_ptr<double>();
    stack.energies.assign(values, values + energies.numel());
  }
}

int64_t TransformScore::rows() const {
  int64_t rows = 0;
  for (const Stack& stack : stacks_) rows += stack.weight.size(0);
  return rows;
}

absl::StatusOr<std::unique_ptr<TransformScore::Candidate>> TransformScore::Prepare(
    const InputTransform& transform) const {
  LayerStatistics statistics = statistics_;
  statistics.second_moment = TransformMoments(statistics.second_moment, transform);
  const InputStatistics summary = Summarize(statistics);
  auto basis = std::make_unique<Candidate::Basis>(*this, transform);
  basis->scored.resize(stacks_.size());
  if (const auto* gptq = std::get_if<GptqOptions>(&quantizer_)) {
    HEROQ_ASSIGN_OR_RETURN(
        basis->solver, InputSolver::Make(summary, *gptq, stacks_.front().weight.device(), names_.front()));
  } else {
    const bool search = std::get<RtnOptions>(quantizer_).scale_search;
    basis->grid.search = search ? GridSearch::kShrink : GridSearch::kMinMax;
    basis->diagonal = summary.diagonal;
    basis->energy.emplace(KernelsFor(BestIsa()), Values(summary.second_moment),
                          summary.second_moment.size(0));
  }
  return std::unique_ptr<Candidate>(new Candidate(std::move(basis)));
}

absl::StatusOr<double> TransformScore::Candidate::Loss(int64_t rows) {
  const TransformScore& score = basis_->score;
  const int64_t all = score.rows();
  rows = std::min(rows, all);
  for (size_t index = 0; index < score.stacks_.size(); ++index) {
    const Stack& stack = score.stacks_[index];
    const int64_t begin = basis_->scored[index];
    const int64_t end = (stack.weight.size(0) * rows + all - 1) / all;
    if (end <= begin) continue;
    HEROQ_ASSIGN_OR_RETURN(const Basis::Rows quantized, basis_->Quantize(stack, begin, end));
    std::vector<int64_t> numbers(end - begin);
    std::iota(numbers.begin(), numbers.end(), 0);
    basis_->lost +=
        basis_->LossOf(quantized, numbers, basis_->energy.has_value() ? quantized.error() : at::Tensor());
    basis_->total += std::accumulate(stack.energies.begin() + begin, stack.energies.begin() + end, 0.0);
    basis_->scored[index] = end;
  }
  return basis_->total > 0 ? basis_->lost / basis_->total : 0.0;
}

absl::StatusOr<double> TransformScore::operator()(const InputTransform& transform) const {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<Candidate> candidate, Prepare(transform));
  return candidate->Loss(rows());
}

absl::StatusOr<TransformScore::Errors> TransformScore::ErrorsOf(const InputTransform& transform) const {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<Candidate> candidate, Prepare(transform));
  Errors errors;
  for (const std::string& name : names_) errors.linears.push_back({name, {}, 0});
  double total = 0;
  for (const Stack& stack : stacks_) {
    HEROQ_ASSIGN_OR_RETURN(const Candidate::Basis::Rows quantized,
                           candidate->basis_->Quantize(stack, 0, stack.weight.size(0)));
    const at::Tensor error = quantized.error();
    total = std::accumulate(stack.energies.begin(), stack.energies.end(), total);
    for (size_t linear = 0; linear < names_.size(); ++linear) {
      std::vector<int64_t> rows;
      for (size_t row = 0; row < stack.linears.size(); ++row) {
        if (stack.linears[row] == linear) rows.push_back(static_cast<int64_t>(row));
      }
      if (rows.empty()) continue;
      RowErrors& entry = errors.linears[linear];
      entry.error = SelectRows(error, rows);
      entry.output_error = candidate->basis_->LossOf(quantized, rows, entry.error);
      errors.loss += entry.output_error;
    }
  }
  errors.loss = total > 0 ? errors.loss / total : 0.0;
  return errors;
}

}  // namespace heroq
