#include "coordinator/client/yaml_text.h"

#include <yaml-cpp/yaml.h>

#include <cctype>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"

namespace heroq {
namespace {

using Json = nlohmann::ordered_json;

// Conservative: whatever might be a number, a boolean, null, a date or syntax is quoted.
bool IsPlain(const std::string& text) {
  if (text.empty() ||
      !(std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '/' || text[0] == '_')) {
    return false;
  }
  for (char c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.' && c != '/')
      return false;
  }
  const std::string lower = absl::AsciiStrToLower(text);
  for (const char* word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan"}) {
    if (lower == word) return false;
  }
  return true;
}

void EmitString(YAML::Emitter& out, const std::string& text) {
  if (IsPlain(text)) {
    out << text;
  } else {
    out << YAML::DoubleQuoted << text;
  }
}

void Emit(YAML::Emitter& out, const Json& value) {
  if (value.is_object()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, member] : value.items()) {
      out << YAML::Key;
      EmitString(out, key);
      out << YAML::Value;
      Emit(out, member);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const Json& element : value) Emit(out, element);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    EmitString(out, value.get<std::string>());
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << value.dump();
  }
}

}  // namespace

std::string JsonToYaml(absl::string_view json) {
  YAML::Emitter out;
  Emit(out, Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false));
  return std::string(out.c_str()) + "\n";
}

}  // namespace heroq
