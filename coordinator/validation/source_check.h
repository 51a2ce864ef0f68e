#pragma once

#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "coordinator/validation/directory_model.h"
#include "coordinator/validation/findings.h"

namespace heroq {

enum class CopyRule {
  kSameBytes,   // type and bytes of the source
  kSameValues,  // or converted to another float type: tools differ in the type they save
};

// Tensor `name` against the source's.
absl::Status CheckCopied(const CheckpointReader& checkpoint, const CheckpointReader& source,
                         const std::string& name, CopyRule rule, Findings& findings);

// The weight error of each linear of `model` in `sound` against `source`: it must agree with the stated one
// (by linear name) to 1e-3 relative or 1e-7 absolute, and without one it must be plausible for the bits. The
// errors are added to the findings.
absl::Status CheckWeightErrors(const DirectoryModel& model, const CheckpointReader& source,
                               const std::map<std::string, double>& stated,
                               const std::set<std::string>& sound, Findings& findings);

}  // namespace heroq
