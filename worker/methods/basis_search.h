#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "worker/methods/hero_q_method.h"
#include "worker/methods/method.h"
#include "worker/methods/transform_score.h"
#include "worker/transform/input_transform.h"

namespace heroq {

// One distinct input whose basis is to be chosen.
struct BasisProblem {
  const UnitWork& work;
  LinearInput input = LinearInput::kAttentionIn;
  // Signs and the rotation every alpha is scored with, the beginning of learned ones; without a rotation none
  // is learned.
  InputTransform start;
  // [in]: the h that D is made of.
  at::Tensor diagonal;
  // InputTransform::rotation_of_block of learned rotations.
  std::vector<int64_t> learned_rotation_of_block;
};

// Chooses T for the quantized linears that read the input: alpha by SearchAlpha, then, with
// HeroQOptions::Rotation::kLearned, a rotation for each of the best AlphaGrid::candidates alphas, the later
// ones going on from what was learned for the first with a fifth of its steps; taken is what loses least.
// Fills what `outcome` says of it, but for the input and the untransformed loss. Rounds on fewer rows than
// the last are skipped for inputs so wide that what candidates hold would take more than 64 MiB: there the
// factor is most of a score, whatever its rows. Deterministic; throws what LibTorch throws. Errors of the
// quantizer, CANCELLED.
absl::StatusOr<InputTransform> SearchBasis(const BasisProblem& problem, const TransformScore& score,
                                           const HeroQOptions& options, const Cancellation& cancellation,
                                           TransformOutcome& outcome);

// The input stays as it is: `outcome` says so.
void LeaveUntransformed(TransformOutcome& outcome);

// What rotations are learned on for the base quantizer of `options`.
RotationOptions LearningOf(const HeroQOptions& options);

// The quantizer candidates are scored with: AWQ needs whole units, and linears of one input are rounded as it
// rounds them.
TransformScore::Quantizer ScorerOf(const HeroQOptions& options);

}  // namespace heroq
