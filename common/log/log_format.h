#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/log/log.h"

namespace heroq {

// One record as a line without its newline, in the two forms log.h shows. Pure.
std::string FormatLogText(absl::Time time, LogLevel level, absl::string_view message,
                          absl::Span<const LogField> fields);
// Invalid UTF-8 becomes U+FFFD.
std::string FormatLogJson(absl::Time time, LogLevel level, absl::string_view message,
                          absl::Span<const LogField> fields);

}  // namespace heroq
