#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace heroq {

// Every way heroq refuses or fails, as users and programs see it: `google.rpc.ErrorInfo.reason` on the wire,
// "reason" in job failures, a row in docs/reference/errors.md (a test keeps that page equal to this table).
enum class Reason {
#define HEROQ_REASON(enumerator, name, code, cause, remedy) enumerator,
#include "common/status/error_reasons.inc"
#undef HEROQ_REASON
};

struct ReasonInfo {
  Reason reason;
  absl::string_view name;  // UPPER_SNAKE, stable
  absl::StatusCode code;
  absl::string_view cause;
  absl::string_view remedy;
};

// All reasons in the order of the table.
absl::Span<const ReasonInfo> AllReasons();
const ReasonInfo& InfoOf(Reason reason);

// An error with the reason's status code. `message` says what, which id or file, and what was expected.
// `metadata` repeats the ids of the message for programs.
absl::Status MakeError(Reason reason, absl::string_view message,
                       std::map<std::string, std::string> metadata = {});

// The reason attached by MakeError, or "" for a status made otherwise.
std::string ReasonName(const absl::Status& status);
std::map<std::string, std::string> ErrorMetadata(const absl::Status& status);
// True if `status` carries `reason`.
bool HasReason(const absl::Status& status, Reason reason);

// The same error with `prefix: ` before its message; code, reason and metadata stay.
absl::Status Annotate(const absl::Status& status, absl::string_view prefix);

}  // namespace heroq
