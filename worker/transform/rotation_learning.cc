#include "worker/transform/rotation_learning.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/thread_settings.h"
#include "worker/transform/cayley.h"
#include "worker/transform/rotation_loss.h"

namespace heroq {
namespace {

// What float32 makes of an orthogonal matrix, with room.
constexpr double kOrthogonalInitial = 1e-5;

absl::Status CheckShapes(const RotationProblem& problem, const at::Tensor& initial) {
  if (initial.dim() != 3 || initial.size(1) != initial.size(2) || problem.weight.dim() != 2) {
    return MakeError(Reason::kInternal,
                     absl::StrCat("rotations: expected [count, b, b] and a matrix, found ", initial.dim(),
                                  " and ", problem.weight.dim(), " dimensions"));
  }
  const int64_t inputs = problem.weight.size(1);
  const int64_t blocks = static_cast<int64_t>(problem.rotation_of_block.size());
  if (blocks * initial.size(1) != inputs || problem.second_moment.dim() != 2 ||
      problem.second_moment.size(0) != inputs || problem.second_moment.size(1) != inputs) {
    return MakeError(Reason::kInternal, absl::StrCat("rotations: ", blocks, " blocks of ", initial.size(1),
                                                     " and ", problem.second_moment.numel(),
                                                     " second moments do not fit ", inputs, " inputs"));
  }
  for (const int64_t rotation : problem.rotation_of_block) {
    if (rotation < 0 || rotation >= initial.size(0)) {
      return MakeError(Reason::kInternal,
                       absl::StrCat("rotations: a block uses rotation ", rotation, " of ", initial.size(0)));
    }
  }
  const double distance = DistanceFromOrthogonal(initial);
  if (!(distance <= kOrthogonalInitial)) {
    return MakeError(Reason::kInternal,
                     absl::StrCat("rotations: an initial matrix is ", distance, " away from orthogonal"));
  }
  return absl::OkStatus();
}

// Ends learning as not successful: what was given is what is returned.
LearnedRotation Undone(LearnedRotation learned, const at::Tensor& initial, std::string reason) {
  learned.rotations = initial.to(at::kFloat);
  learned.final_loss = learned.initial_loss;
  learned.best_step = 0;
  learned.reason = std::move(reason);
  return learned;
}

}  // namespace

absl::StatusOr<LearnedRotation> LearnRotations(const RotationProblem& problem, const at::Tensor& initial,
                                               const RotationOptions& options,
                                               const Cancellation& cancellation) {
  const OneThreadScope one_thread;
  HEROQ_RETURN_IF_ERROR(CheckShapes(problem, initial));
  const int64_t block = initial.size(1);
  const RotationLoss loss(problem, block, options.metric, options.max_rows);
  if (loss.energy() == 0) return Undone({}, initial, "the weight or its input is zero: nothing to learn");

  CayleyDescent descent(OrthogonalPart(initial), options.momentum);
  LearnedRotation learned;
  at::Tensor best = initial;
  for (int step = 0;; ++step) {
    HEROQ_ASSIGN_OR_RETURN(const RotationGradient gradient,
                           loss.Evaluate(descent.rotations().to(problem.weight.scalar_type()), cancellation));
    learned.losses.push_back(gradient.loss);
    if (step == 0) learned.initial_loss = learned.final_loss = gradient.loss;
    if (!std::isfinite(gradient.loss)) {
      learned.diverged = true;
      return Undone(learned, initial, absl::StrCat("the loss of step ", step, " is ", gradient.loss));
    }
    if (gradient.loss < learned.final_loss) {
      learned.final_loss = gradient.loss;
      learned.best_step = step;
      best = descent.rotations();
    }
    if (step == options.steps) break;
    if (step - learned.best_step >= options.patience) {
      if (learned.best_step > 0) break;
      learned.diverged = true;
      return Undone(learned, initial,
                    absl::StrCat("the loss was not below the initial ", learned.initial_loss, " in ", step,
                                 " steps; the last is ", gradient.loss));
    }
    const double remaining = 1 - static_cast<double>(step) / options.steps;
    descent.Step(gradient.by_rotation, options.step * remaining * std::sqrt(static_cast<double>(block)));
  }
  learned.rotations = (learned.best_step > 0 ? OrthogonalPart(best) : initial).to(at::kFloat);
  return learned;
}

}  // namespace heroq
