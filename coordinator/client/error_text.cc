#include "coordinator/client/error_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/error_reason.h"
#include "coordinator/client/field_names.h"

namespace heroq {
namespace {

std::string RemedyOf(absl::string_view reason_name) {
  // Its messages say what was expected.
  if (reason_name == InfoOf(Reason::kInvalidSpec).name) return "";
  for (const ReasonInfo& info : AllReasons()) {
    if (info.name == reason_name) return absl::StrCat("  ", info.remedy, "\n");
  }
  return "";
}

}  // namespace

std::string FormatError(const absl::Status& status) {
  absl::string_view message = status.message();
  std::string violations;
  for (const auto& [key, problem] : ErrorMetadata(status)) {
    absl::string_view field = key;
    if (!absl::ConsumePrefix(&field, "field:")) continue;
    // The message repeats the violations one after the other; here each has its line.
    message = message.substr(0, message.find(absl::StrCat(": ", field, " ")));
    absl::StrAppend(&violations, "  ", NameForUsers(field), " ", problem, "\n");
  }
  return absl::StrCat("heroq: error: ", message, "\n",
                      // Violations say what to change better than the general remedy.
                      violations.empty() ? RemedyOf(ReasonName(status)) : violations);
}

std::string FormatFailure(const v1::QuantizationJob& job) {
  std::string text = absl::StrCat("heroq: error: job failed: ", job.failure().message());
  const std::string& task = job.failure().task_id();
  if (!task.empty() && job.failure().message().find(task) == std::string::npos)
    absl::StrAppend(&text, " (", task, ")");
  text += "\n";
  return text + RemedyOf(job.failure().reason());
}

}  // namespace heroq
