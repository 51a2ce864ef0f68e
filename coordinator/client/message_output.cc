#include "coordinator/client/message_output.h"

#include "absl/strings/str_cat.h"
#include "coordinator/client/yaml_text.h"
#include "google/protobuf/util/json_util.h"

namespace heroq {
namespace {

std::string ToJson(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = indented;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  // Fails only for Any and malformed UTF-8, which no message of heroq.v1 holds.
  return status.ok() ? json : absl::StrCat("{\"error\": \"", status.ToString(), "\"}");
}

}  // namespace

std::optional<OutputFormat> ParseOutputFormat(absl::string_view text) {
  if (text == "table") return OutputFormat::kTable;
  if (text == "json") return OutputFormat::kJson;
  if (text == "jsonl") return OutputFormat::kJsonLines;
  if (text == "yaml") return OutputFormat::kYaml;
  if (text == "name") return OutputFormat::kName;
  return std::nullopt;
}

std::string ToCompactJson(const google::protobuf::Message& message) { return ToJson(message, false); }

std::string FormatMessage(const google::protobuf::Message& message, OutputFormat format) {
  if (format == OutputFormat::kYaml) return JsonToYaml(ToJson(message, false));
  if (format == OutputFormat::kJson) return ToJson(message, true);
  return ToCompactJson(message) + "\n";
}

}  // namespace heroq
