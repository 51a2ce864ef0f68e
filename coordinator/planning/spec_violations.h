#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace heroq {

// Everything that is wrong with a job spec, by field. Thread-compatible.
class SpecViolations {
 public:
  // `field` is the path of proto names: "calibration.samples", "scheme.overrides[1].pattern". The first
  // problem of a field stays.
  void Add(absl::string_view field, absl::string_view problem);
  bool empty() const { return problems_.empty(); }
  // OK, or INVALID_SPEC that lists every problem, with one metadata entry "field:<path>" = problem each.
  absl::Status ToStatus() const;

 private:
  std::map<std::string, std::string> problems_;
};

}  // namespace heroq
