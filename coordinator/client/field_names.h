#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace heroq {

// The flag of `heroq quantize` that sets a field of JobSpec ("scheme.weight_bits" -> "--bits"), or "" when
// none does. Indices and trailing parts are ignored: "calibration.source.text_files[0].path" ->
// "--calibration".
std::string FlagOfField(absl::string_view field_path);

// "--bits (scheme.weight_bits)", or the field path where no flag sets it.
std::string NameForUsers(absl::string_view field_path);

}  // namespace heroq
