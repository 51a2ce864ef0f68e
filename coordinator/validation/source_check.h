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

// What was said about a stored weight when it was made.
struct StatedWeight {
  double weight_error = 0;
  std::string digest;        // WeightDigest
  bool transformed = false;  // the error is of a weight that no file holds
};

// Each linear of `model` in `sound` against what is stated (by linear name): it must have the stated digest,
// and, with a `source`, its weight error against that must agree with the stated one to 1e-3 relative or 1e-7
// absolute, or without one be plausible for the bits; these errors are added to the findings. Transformed
// weights have no error. `source` may be null. Two threads take one linear each at a time; the findings are
// those of the model's order. The first error in that order is returned.
absl::Status CheckWeights(const DirectoryModel& model, const CheckpointReader* source,
                          const std::map<std::string, StatedWeight>& stated,
                          const std::set<std::string>& sound, Findings& findings);

}  // namespace heroq
