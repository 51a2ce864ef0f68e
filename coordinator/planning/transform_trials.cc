#include "coordinator/planning/transform_trials.h"

#include <algorithm>
#include <array>

namespace heroq {
namespace {

constexpr std::array<v1::Transform, 2> kTried = {v1::TRANSFORM_NONE, v1::TRANSFORM_FUSED};

}  // namespace

bool TriesTransforms(const v1::MethodSpec& method) {
  return method.has_hero_q() && method.hero_q().transform() == v1::TRANSFORM_AUTO;
}

v1::EvaluationSpec EvaluationOfTrials(const v1::CalibrationSpec& calibration) {
  v1::EvaluationSpec evaluation;
  *evaluation.mutable_source() = calibration.source();
  evaluation.set_sequences(kHeldOutSequences);
  evaluation.set_sequence_length(calibration.sequence_length());
  return evaluation;
}

Trial NextTrial(const std::vector<double>& divergence) {
  Trial trial;
  trial.chosen = divergence.size() >= kTried.size();
  const size_t index = trial.chosen
                           ? std::min_element(divergence.begin(), divergence.end()) - divergence.begin()
                           : divergence.size();
  trial.number = static_cast<int>(index) + 1;
  trial.transform = kTried[index];
  return trial;
}

}  // namespace heroq
