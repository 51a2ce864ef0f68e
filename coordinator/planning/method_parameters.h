#pragma once

#include "coordinator/planning/spec_violations.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// The parameters of methods: what is allowed, and what unset ones mean. Pure.

// Adds what is wrong with the method of `spec`, and a missing calibration where it needs one.
void CheckMethod(const v1::JobSpec& spec, SpecViolations& violations);

// Every parameter set. No method means gptq. Requires one that CheckMethod finds nothing wrong with.
void ResolveMethod(v1::MethodSpec& method);

}  // namespace heroq
