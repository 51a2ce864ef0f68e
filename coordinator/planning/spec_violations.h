#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace heroq {

// Everything that is wrong with a job, by field. Thread-compatible.
class SpecViolations {
 public:
  // `field` is the path of proto names: "calibration.samples", "scheme.overrides[1].pattern". The first
  // problem of a field stays.
  void Add(absl::string_view field, absl::string_view problem);
  // An enum that came as a number no version of this service knows.
  void CheckEnum(bool valid, int value, absl::string_view field);
  // Why what `field` names cannot be used: MODEL_INVALID, TEXT_TOO_SHORT... An INVALID_SPEC that lists
  // violations adds these instead. OK adds nothing.
  void AddRefusal(absl::string_view field, const absl::Status& refusal);

  bool empty() const { return problems_.empty(); }
  // True when `field` or one below it has a problem.
  bool Has(absl::string_view field) const;

  // OK; a refusal as it was given when there is nothing else; otherwise INVALID_SPEC (the reason of the first
  // refusal when there are only refusals) that lists every problem, with one metadata entry
  // "field:<path>" = problem each.
  absl::Status ToStatus() const;

 private:
  struct Problem {
    std::string text;
    absl::Status refusal;  // OK: a violation
  };
  std::map<std::string, Problem, std::less<>> problems_;
};

}  // namespace heroq
