#include "coordinator/validation/findings.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error_reason.h"

namespace heroq {

bool Findings::Check(bool holds, absl::string_view rule, const Place& place, absl::string_view expected,
                     absl::string_view found) {
  response_.set_checks(response_.checks() + 1);
  if (holds) return true;
  v1::ValidationFinding& finding = *response_.add_findings();
  finding.set_rule(std::string(rule));
  finding.set_tensor(place.tensor);
  finding.set_file(place.file);
  finding.set_expected(std::string(expected));
  finding.set_found(std::string(found));
  return false;
}

void Findings::AddWeightError(const std::string& linear, const std::string& scheme, double weight_error) {
  v1::LinearWeightError& error = *response_.add_weight_errors();
  error.set_linear(linear);
  error.set_scheme(scheme);
  error.set_weight_error(weight_error);
}

void Findings::Merge(const v1::ValidateCheckpointResponse& other) {
  response_.set_checks(response_.checks() + other.checks());
  response_.mutable_findings()->MergeFrom(other.findings());
  response_.mutable_weight_errors()->MergeFrom(other.weight_errors());
}

absl::Status ToStatus(const v1::ValidateCheckpointResponse& response, const std::string& directory) {
  constexpr int kMaxListed = 10;
  if (response.findings().empty()) return absl::OkStatus();
  std::vector<std::string> lines;
  for (int i = 0; i < std::min(kMaxListed, response.findings_size()); ++i) {
    const v1::ValidationFinding& finding = response.findings(i);
    lines.push_back(absl::StrCat(finding.rule(), " ",
                                 finding.tensor().empty() ? finding.file() : finding.tensor(), ": expected ",
                                 finding.expected(), ", found ", finding.found()));
  }
  if (response.findings_size() > kMaxListed) {
    lines.push_back(absl::StrCat("and ", response.findings_size() - kMaxListed, " more"));
  }
  return MakeError(Reason::kValidationFailed, absl::StrCat(directory, ": ", absl::StrJoin(lines, "; ")),
                   {{"path", directory}});
}

}  // namespace heroq
