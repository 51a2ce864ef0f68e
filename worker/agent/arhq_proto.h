#pragma once

#include "absl/status/statusor.h"
#include "heroq/v1/scheme.pb.h"
#include "worker/methods/arhq_method.h"

namespace heroq {

// Parameters of a plan as options; `base` is what they say of the base method. INTERNAL when the plan left
// something open.
absl::StatusOr<ArhqOptions> ArhqOptionsOf(const v1::ArhqParameters& parameters,
                                          std::variant<GptqOptions, RtnOptions> base);

}  // namespace heroq
