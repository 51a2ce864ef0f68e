#pragma once

#include <string>

#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

// Collects what checks found. Thread-compatible.
class ValidationFindings {
 public:
  struct Place {
    std::string tensor;  // empty where a file as a whole is meant
    std::string file;
  };

  // Counts one check; a failed one becomes a finding.
  void Check(bool ok, const char* rule, const Place& place, const std::string& expected,
             const std::string& found);
  // Counts one failed check.
  void Add(const char* rule, const Place& place, const std::string& expected, const std::string& found) {
    Check(false, rule, place, expected, found);
  }

  bool clean() const { return response_.findings().empty(); }
  v1::ValidateCheckpointResponse Take() { return std::move(response_); }

 private:
  v1::ValidateCheckpointResponse response_;
};

// "model.safetensors: tensor x.weight_scale: scale_not_usable: expected ..., found ...", for messages.
std::string DescribeFinding(const v1::ValidationFinding& finding);

}  // namespace heroq
