#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coordinator/planning/spec_violations.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// What jobs must keep to whose schemes quantize activations; nothing for others. Pure.

// Violations of a spec: blocks that are propagated quantized are run with activations as they are, and only
// compressed-tensors says that activations are quantized.
void CheckActivationRegime(const v1::JobSpec& spec, SpecViolations& violations);

// What users of the checkpoint should know, as Plan.warnings: how codes of fewer than 8 bits are stored, and
// schemes that no kernel runs.
std::vector<std::string> ActivationWarnings(const v1::Plan& plan);

// Tokens of each calibration shard whose activations are kept for block `block` (CaptureTask.kept_tokens): a
// share of kKeptTokens where one of its schemes quantizes activations, and where the method goes by their
// range (smoothquant), else 0. The calibration of `plan` is resolved.
int KeptTokensOfShard(const v1::Plan& plan, int block);
inline constexpr int kKeptTokens = 8192;
// Those of all shards; no more than the calibration has.
int64_t KeptTokens(const v1::Plan& plan, int block);

}  // namespace heroq
