#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "coordinator/validation/directory_model.h"
#include "coordinator/validation/findings.h"

namespace heroq {

// Byte equality of tensor `name`.
absl::Status CheckCopied(const CheckpointReader& checkpoint, const CheckpointReader& source,
                         const std::string& name, Findings& findings);

// The weight error of each linear of `model` whose parts are sound, against `source`: with an expected value
// it must agree to 1e-3 relative (or 1e-7 absolute), otherwise it must be plausible for the bits. `expected`
// gives what is known of a linear.
absl::Status CheckWeightErrors(
    const DirectoryModel& model, const CheckpointReader& source,
    const std::function<std::optional<double>(const std::string& linear)>& expected,
    const std::function<bool(const std::string& linear)>& sound, Findings& findings);

}  // namespace heroq
