#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

enum class ResumeAction {
  kStart,   // nothing unfinished, or it is to be discarded
  kResume,  // go on with the unfinished run
};

// What to do with an output directory whose last run left `unfinished` when `wanted` is asked for now.
// SPEC_CHANGED with every difference when they are not the same job and `restart` was not asked for. Pure.
absl::StatusOr<ResumeAction> DecideResume(const std::optional<v1::CreateQuantizationJobRequest>& unfinished,
                                          const v1::JobSpec& wanted, bool restart, const std::string& output);

// A request whose ids depend on nothing but `spec`, so that asking again is the same request.
v1::CreateQuantizationJobRequest RequestFor(const v1::JobSpec& spec);

}  // namespace heroq
