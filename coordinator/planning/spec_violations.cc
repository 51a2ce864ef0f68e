#include "coordinator/planning/spec_violations.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error_reason.h"

namespace heroq {

void SpecViolations::Add(absl::string_view field, absl::string_view problem) {
  problems_.emplace(std::string(field), std::string(problem));
}

absl::Status SpecViolations::ToStatus() const {
  if (problems_.empty()) return absl::OkStatus();
  std::map<std::string, std::string> metadata;
  std::vector<std::string> lines;
  for (const auto& [field, problem] : problems_) {
    metadata.emplace(absl::StrCat("field:", field), problem);
    lines.push_back(absl::StrCat(field, " ", problem));
  }
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("the job spec is invalid: ", absl::StrJoin(lines, "; ")),
                   std::move(metadata));
}

}  // namespace heroq
