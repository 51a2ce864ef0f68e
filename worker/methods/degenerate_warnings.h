#pragma once

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "worker/methods/input_statistics.h"

namespace heroq {

// What a user should know about data that is valid but says less than it seems: sentences for
// LinearOutcome.warnings. Pure.

// Of an input that a solver is to use: channels that were zero on every token, fewer tokens than channels.
std::vector<std::string> InputWarnings(const InputStatistics& statistics);

// Of an input whose diagonal weights a fit: channels that were zero on every token, which have next to no
// weight.
std::vector<std::string> WeightingWarnings(const InputStatistics& statistics);

// Of a weight [rows, columns], row-major: rows that hold nothing but zeros.
std::vector<std::string> WeightWarnings(absl::Span<const float> weight, int64_t rows);

}  // namespace heroq
