#include "common/log/log_format.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace heroq {
namespace {

std::string Timestamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void AppendEscaped(absl::string_view text, absl::string_view also_escaped, std::string& out) {
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (IsControl(c)) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      if (also_escaped.find(c) != absl::string_view::npos) out += '\\';
      out += c;
    }
  }
}

bool NeedsQuotes(absl::string_view text) {
  if (text.empty()) return true;
  for (char c : text) {
    if (c == ' ' || c == '"' || c == '=' || c == '\\' || IsControl(c)) return true;
  }
  return false;
}

struct TextValue {
  std::string& out;
  void operator()(absl::string_view value) const {
    if (!NeedsQuotes(value)) {
      absl::StrAppend(&out, value);
      return;
    }
    out += '"';
    AppendEscaped(value, "\"\\", out);
    out += '"';
  }
  void operator()(int64_t value) const { absl::StrAppend(&out, value); }
  void operator()(double value) const { absl::StrAppend(&out, value); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
};

struct JsonValue {
  nlohmann::ordered_json operator()(absl::string_view value) const { return std::string(value); }
  nlohmann::ordered_json operator()(int64_t value) const { return value; }
  nlohmann::ordered_json operator()(double value) const { return value; }
  nlohmann::ordered_json operator()(bool value) const { return value; }
};

}  // namespace

std::string FormatLogText(absl::Time time, LogLevel level, absl::string_view message,
                          absl::Span<const LogField> fields) {
  std::string line = absl::StrCat(Timestamp(time), " ", ToString(level), " ");
  AppendEscaped(message, "", line);
  for (const LogField& field : fields) {
    absl::StrAppend(&line, " ", field.key(), "=");
    std::visit(TextValue{line}, field.value());
  }
  return line;
}

std::string FormatLogJson(absl::Time time, LogLevel level, absl::string_view message,
                          absl::Span<const LogField> fields) {
  nlohmann::ordered_json record = {
      {"time", Timestamp(time)}, {"level", std::string(ToString(level))}, {"message", std::string(message)}};
  for (const LogField& field : fields) {
    record[std::string(field.key())] = std::visit(JsonValue{}, field.value());
  }
  return record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace heroq
