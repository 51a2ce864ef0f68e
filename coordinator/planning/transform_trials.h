#pragma once

#include <vector>

#include "heroq/v1/job.pb.h"

namespace heroq {

// HeRo-Q with transform auto: the model is quantized with each of a few transforms, every result is evaluated
// on the calibration text that follows the tokens of calibration, and the one with the lowest KL divergence
// is published. Pure.

// Sequences of calibration length that trials are evaluated on.
inline constexpr int kHeldOutSequences = 16;

bool TriesTransforms(const v1::MethodSpec& method);

// How trials of a job with this resolved calibration are evaluated.
v1::EvaluationSpec EvaluationOfTrials(const v1::CalibrationSpec& calibration);

// What such a job does next.
struct Trial {
  // Which trial the plan is, from 1, and its transform.
  int number = 0;
  v1::Transform transform = v1::TRANSFORM_UNSPECIFIED;
  // The trial is finished and the best: it is evaluated as the job asks and published.
  bool chosen = false;
};

// `divergence`: KL of every finished trial, in order. The first one on ties.
Trial NextTrial(const std::vector<double>& divergence);

}  // namespace heroq
