#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

// The rule of a finding that says that nothing more could be checked.
inline constexpr char kFormatUnsupported[] = "format_unsupported";

// Collects what a validation finds. Rules are listed in docs/reference/validation.md. Thread-compatible.
class Findings {
 public:
  // Where a check looks; both may be empty.
  struct Place {
    std::string tensor;
    std::string file;
  };

  // Counts one check; adds a finding unless `holds`. Returns `holds`.
  bool Check(bool holds, absl::string_view rule, const Place& place, absl::string_view expected,
             absl::string_view found);

  void AddWeightError(const std::string& linear, const std::string& scheme, double weight_error);

  // Adds the checks, findings and weight errors of another collection.
  void Merge(const v1::ValidateCheckpointResponse& other);

  v1::ValidateCheckpointResponse Take() { return std::move(response_); }

 private:
  v1::ValidateCheckpointResponse response_;
};

// OK without findings, else VALIDATION_FAILED that lists the first ten.
absl::Status ToStatus(const v1::ValidateCheckpointResponse& response, const std::string& directory);

}  // namespace heroq
