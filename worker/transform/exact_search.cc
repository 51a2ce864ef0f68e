#include "worker/transform/exact_search.h"

#include <ATen/ops/mm.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

// The base quantizer on W D R with R^T D^-1 H D^-1 R.
absl::StatusOr<double> RotatedLoss(const RotationProblem& problem, const at::Tensor& rotation,
                                   const BaseQuantizerLoss& base_quantizer) {
  const at::Tensor moments = rotation.t().mm(problem.second_moment).mm(rotation);
  return base_quantizer(problem.weight.mm(rotation), moments.add(moments.t()).mul_(0.5));
}

}  // namespace

absl::StatusOr<ExactSearchResult> ExactSearch(const at::Tensor& weight, const at::Tensor& second_moment,
                                              const QuantScheme& scheme, const at::Tensor& initial,
                                              const std::vector<AlphaCandidate>& candidates,
                                              const RotationOptions& rotation,
                                              const BaseQuantizerLoss& base_quantizer,
                                              const Cancellation& cancellation) {
  const OneThreadScope one_thread;
  if (candidates.empty()) return MakeError(Reason::kInternal, "exact search: no alpha to search");
  const double energy = weight.mm(second_moment).mul_(weight).sum(at::kDouble).item<double>();
  if (!(energy > 0)) {
    return MakeError(Reason::kNumericalFailure,
                     absl::StrCat("exact search: the energy of the layer's output is ", energy));
  }
  ExactSearchResult result;
  for (const AlphaCandidate& candidate : candidates) {
    if (candidate.scale.dim() != 1 || candidate.scale.size(0) != weight.size(1)) {
      return MakeError(Reason::kInternal,
                       absl::StrCat("exact search: the scale of alpha ", candidate.alpha, " has ",
                                    candidate.scale.numel(), " values for ", weight.size(1), " inputs"));
    }
    RotationProblem problem;
    problem.weight = weight.mul(candidate.scale);
    problem.second_moment = second_moment.div(candidate.scale).div_(candidate.scale.unsqueeze(1));
    problem.scheme = scheme;
    problem.rotation_of_block = {0};
    AlphaOutcome outcome;
    outcome.alpha = candidate.alpha;
    HEROQ_ASSIGN_OR_RETURN(outcome.learned,
                           LearnRotations(problem, initial.unsqueeze(0), rotation, cancellation));
    HEROQ_ASSIGN_OR_RETURN(outcome.unlearned_loss,
                           RotatedLoss(problem, initial.to(at::kFloat), base_quantizer));
    HEROQ_ASSIGN_OR_RETURN(outcome.loss, RotatedLoss(problem, outcome.learned.rotations[0], base_quantizer));
    outcome.unlearned_loss /= energy;
    outcome.loss /= energy;
    if (!result.curve.empty() && outcome.loss < result.curve[result.best].loss) {
      result.best = result.curve.size();
    }
    result.curve.push_back(std::move(outcome));
  }
  return result;
}

}  // namespace heroq
