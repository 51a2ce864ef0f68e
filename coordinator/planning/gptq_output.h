#pragma once

#include <string>

#include "coordinator/planning/scheme_resolution.h"
#include "coordinator/planning/spec_violations.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// Checkpoints in the tensors of GPTQ: OutputSpec.format "gptq", version 1, and "gptq_v2". Pure.

bool IsGptqFormat(const std::string& format);

// Sets what `schemes`, of a job with that output format, leave to the format: scales are float16. Adds what
// no GPTQ checkpoint can hold, or its loaders refuse: bits other than 2, 3, 4, 8, inputs or outputs of a
// tensor-parallel rank that are no multiple of 32, groups that are no power of two from 16 to 1024, and
// version 1 with zero points.
void ApplyGptqFormat(const std::string& format, const ModelLayout& layout, int tensor_parallel,
                     ResolvedSchemes& schemes, SpecViolations& violations);

// `quantization_config` of a checkpoint in that format, without line breaks; quantize_config.json has it too.
// The scheme of the most linears is the job's; others, and kept linears, are in `dynamic`, by patterns that
// also match the names under which loaders fuse q, k, v and gate, up.
std::string GptqConfigJson(const v1::Plan& plan, const std::string& format);

}  // namespace heroq
