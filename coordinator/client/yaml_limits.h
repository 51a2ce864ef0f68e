#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace heroq {

// OK for YAML that a job specification may be written in: one document of UTF-8 text, at most 1 MiB, 100,000
// values, 16 levels of nesting and 4096 bytes a value, without anchors and aliases (a few of which can stand
// for gigabytes) and tags. INVALID_SPEC naming `file_name`, line and rule. Malformed YAML, too.
absl::Status CheckYamlLimits(absl::string_view text, absl::string_view file_name);

}  // namespace heroq
