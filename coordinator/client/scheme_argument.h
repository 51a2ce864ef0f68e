#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "heroq/v1/scheme.pb.h"

namespace heroq {

// "auto" -> 0, "channel" -> -1, "64" -> 64. INVALID_SPEC naming `argument` otherwise.
absl::StatusOr<int32_t> ParseGroupSize(absl::string_view argument, absl::string_view text);

// "auto", "on" (symmetric), "off".
absl::StatusOr<v1::Symmetry> ParseSymmetry(absl::string_view argument, absl::string_view text);

// REGEX=SCHEME of --override. SCHEME follows the last '=' and is "keep" or a list of parts, each at most
// once: w8 (bits), g64 or channel (group size), sym or asym. Capitals do not matter. What is not named takes
// the job's value. INVALID_SPEC names the wrong part.
absl::StatusOr<v1::SchemeOverride> ParseOverride(absl::string_view text);

}  // namespace heroq
