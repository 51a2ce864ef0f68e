#pragma once

#include "common/model/model_layout.h"
#include "coordinator/planning/spec_violations.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// Rules a JobSpec keeps whatever the model: ranges, fields that exclude or need each other, syntax of
// patterns. Adds every violation, not the first. Pure.
void CheckSpec(const v1::JobSpec& spec, SpecViolations& violations);

// Rules that depend on the model: sequences no longer than its context.
void CheckSpecAgainstModel(const v1::JobSpec& spec, const ModelLayout& layout, SpecViolations& violations);

// Rules that depend on the units of the plan: a graph of at most kMaxTasks tasks.
void CheckTaskCount(const v1::Plan& plan, SpecViolations& violations);

// Rules that depend on the estimate: a worker is allowed what the job may need. Names the least that works.
void CheckWorkerMemory(const v1::JobSpec& spec, const v1::CostEstimate& cost, SpecViolations& violations);

// `spec` with every field set to what the job will use, so that no zero means "default" (fields of parts the
// job does not have stay unset). Resolving a resolved spec changes nothing. What CheckSpec refuses stays as
// it is. Group size and symmetry of the scheme are resolved per linear (scheme_resolution.h) and stay as
// asked, but for output format gptq, which is symmetric unless it is asked not to be. Pure.
v1::JobSpec ResolveSpec(const v1::JobSpec& spec, const ModelLayout& layout);

// True for a job that evaluates an existing checkpoint instead of making one.
inline bool IsEvaluationOnly(const v1::JobSpec& spec) { return spec.has_evaluate_checkpoint(); }

}  // namespace heroq
