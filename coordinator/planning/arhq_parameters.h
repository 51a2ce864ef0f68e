#pragma once

#include "coordinator/planning/spec_violations.h"
#include "heroq/v1/scheme.pb.h"

namespace heroq {

// Violations of the parameters of method arhq but those of its base. Pure.
void CheckArhq(const v1::ArhqParameters& arhq, SpecViolations& violations);

// Sets what is open but the base: rank 32, branch residual. A job without a branch has rank 0.
void ResolveArhq(v1::ArhqParameters& arhq);

}  // namespace heroq
