#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "heroq/v1/job.pb.h"

namespace heroq {

// How a job that succeeded ended, one "name  value" line each: perplexity before and after, KL, relative
// error, size, warnings, directory. `source_bytes`: the weights of the original model, where they are on this
// machine.
std::string FormatSummary(const v1::QuantizationJob& job, std::optional<int64_t> source_bytes);

}  // namespace heroq
