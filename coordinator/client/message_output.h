#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace heroq {

// What `-o` takes.
enum class OutputFormat { kTable, kJson, kJsonLines, kYaml, kName };

std::optional<OutputFormat> ParseOutputFormat(absl::string_view text);

// Proto JSON with the field names of the .proto files and every field present, so that scripts need no
// defaults. One line, without a newline at the end.
std::string ToCompactJson(const google::protobuf::Message& message);

// The same, as `format` prints it: kJson indented, kJsonLines one line, kYaml; each line ended. Not for
// kTable and kName, which depend on the kind of message.
std::string FormatMessage(const google::protobuf::Message& message, OutputFormat format);

}  // namespace heroq
