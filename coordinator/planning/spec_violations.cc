#include "coordinator/planning/spec_violations.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

constexpr absl::string_view kFieldPrefix = "field:";

absl::Status WithReasonOf(const absl::Status& first, absl::string_view message,
                          std::map<std::string, std::string> metadata) {
  for (const ReasonInfo& info : AllReasons()) {
    if (HasReason(first, info.reason)) return MakeError(info.reason, message, std::move(metadata));
  }
  return MakeError(Reason::kInternal, message, std::move(metadata));
}

}  // namespace

void SpecViolations::Add(absl::string_view field, absl::string_view problem) {
  problems_.emplace(std::string(field), Problem{std::string(problem), absl::OkStatus()});
}

void SpecViolations::CheckEnum(bool valid, int value, absl::string_view field) {
  if (!valid) Add(field, absl::StrCat("has the unknown value ", value));
}

void SpecViolations::AddRefusal(absl::string_view field, const absl::Status& refusal) {
  if (refusal.ok()) return;
  bool listed = false;
  for (const auto& [key, problem] : ErrorMetadata(refusal)) {
    absl::string_view named = key;
    if (!HasReason(refusal, Reason::kInvalidSpec) || !absl::ConsumePrefix(&named, kFieldPrefix)) continue;
    Add(named, problem);
    listed = true;
  }
  if (listed) return;
  problems_.emplace(std::string(field),
                    Problem{absl::StrCat("cannot be used: ", refusal.message()), refusal});
}

bool SpecViolations::Has(absl::string_view field) const {
  for (auto entry = problems_.lower_bound(field); entry != problems_.end(); ++entry) {
    const absl::string_view found = entry->first;
    if (!absl::StartsWith(found, field)) return false;
    if (found.size() == field.size() || found[field.size()] == '.' || found[field.size()] == '[') return true;
  }
  return false;
}

absl::Status SpecViolations::ToStatus() const {
  if (problems_.empty()) return absl::OkStatus();
  std::map<std::string, std::string> metadata;
  std::vector<std::string> lines;
  absl::Status first_refusal;
  bool violated = false;
  for (const auto& [field, problem] : problems_) {
    metadata.emplace(absl::StrCat(kFieldPrefix, field), problem.text);
    lines.push_back(absl::StrCat(field, " ", problem.text));
    violated = violated || problem.refusal.ok();
    if (first_refusal.ok()) first_refusal = problem.refusal;
  }
  if (!violated && problems_.size() == 1) return first_refusal;
  const std::string list = absl::StrJoin(lines, "; ");
  if (!violated) return WithReasonOf(first_refusal, absl::StrCat("the job cannot run: ", list), metadata);
  return MakeError(
      Reason::kInvalidSpec,
      absl::StrCat(first_refusal.ok() ? "the job spec is invalid: " : "the job cannot run: ", list),
      std::move(metadata));
}

}  // namespace heroq
