#include "coordinator/validation/validation_findings.h"

#include "absl/strings/str_cat.h"

namespace heroq {

void ValidationFindings::Check(bool ok, const char* rule, const Place& place, const std::string& expected,
                               const std::string& found) {
  response_.set_checks(response_.checks() + 1);
  if (ok) return;
  v1::ValidationFinding& finding = *response_.add_findings();
  finding.set_rule(rule);
  finding.set_tensor(place.tensor);
  finding.set_file(place.file);
  finding.set_expected(expected);
  finding.set_found(found);
}

std::string DescribeFinding(const v1::ValidationFinding& finding) {
  std::string text = finding.file();
  if (!finding.tensor().empty())
    absl::StrAppend(&text, text.empty() ? "" : ": ", "tensor ", finding.tensor());
  absl::StrAppend(&text, text.empty() ? "" : ": ", finding.rule());
  if (!finding.expected().empty()) absl::StrAppend(&text, ": expected ", finding.expected());
  if (!finding.found().empty()) absl::StrAppend(&text, ", found ", finding.found());
  return text;
}

}  // namespace heroq
