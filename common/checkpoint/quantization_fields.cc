#include "common/checkpoint/quantization_fields.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxPattern = 4096;
constexpr int64_t kPatternMemory = int64_t{1} << 20;

Json Value(const Json& object, const std::string& field) {
  const std::string last = field.substr(field.rfind('.') + 1);
  return object.value(last, Json(nullptr));
}

}  // namespace

absl::Status QuantizationFields::Unsupported(const std::string& field, const std::string& found) const {
  return MakeError(Reason::kUnsupported, absl::StrCat(path_, ": quantization_config.", Excerpt(field), " is ",
                                                      Excerpt(found), ", which heroq does not read"));
}

absl::Status QuantizationFields::Require(const Json& object, const std::string& field,
                                         const std::vector<std::string>& known) const {
  const std::string value = Value(object, field).dump();
  if (std::find(known.begin(), known.end(), value) != known.end()) return absl::OkStatus();
  return Unsupported(field, value);
}

absl::StatusOr<int> QuantizationFields::Integer(const Json& object, const std::string& field) const {
  const Json value = Value(object, field);
  constexpr int64_t kLimit = int64_t{1} << 30;
  if (!value.is_number_integer() || value.get<double>() > kLimit || value.get<double>() < -kLimit) {
    return Unsupported(field, value.dump());
  }
  return value.get<int>();
}

absl::StatusOr<bool> QuantizationFields::Boolean(const Json& object, const std::string& field,
                                                 bool absent) const {
  const Json value = Value(object, field);
  if (value.is_null()) return absent;
  if (!value.is_boolean()) return Unsupported(field, value.dump());
  return value.get<bool>();
}

absl::StatusOr<int> QuantizationFields::Bits(const Json& object, const std::string& field) const {
  HEROQ_ASSIGN_OR_RETURN(const int bits, Integer(object, field));
  if (bits < 2 || bits > 8) return Unsupported(field, absl::StrCat(bits));
  return bits;
}

bool NamePattern::Matches(const std::string& name) const {
  if (!regex) return text == name;
  return regex->Match(name, 0, name.size(), re2::RE2::ANCHOR_START, nullptr, 0);
}

absl::StatusOr<NamePattern> ParseRegex(const std::string& text, const std::string& expression,
                                       const std::string& field, const QuantizationFields& fields) {
  if (expression.size() > kMaxPattern) {
    return fields.Unsupported(field, absl::StrCat("a pattern of ", expression.size(), " bytes"));
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemory);
  auto regex = std::make_shared<const re2::RE2>(expression, options);
  if (!regex->ok()) return fields.Unsupported(field, absl::StrCat("\"", text, "\" (", regex->error(), ")"));
  return NamePattern{text, std::move(regex)};
}

absl::StatusOr<std::vector<NamePattern>> ParseTargets(const Json& list, const std::string& field,
                                                      const QuantizationFields& fields) {
  std::vector<NamePattern> patterns;
  if (!list.is_array()) return fields.Unsupported(field, list.dump());
  if (list.size() > kMaxNamePatterns)
    return fields.Unsupported(field, absl::StrCat("a list of ", list.size()));
  for (const Json& entry : list) {
    if (!entry.is_string()) return fields.Unsupported(field, list.dump());
    const std::string text = entry.get<std::string>();
    absl::string_view expression = text;
    if (!absl::ConsumePrefix(&expression, "re:")) {
      patterns.push_back({text, nullptr});
      continue;
    }
    HEROQ_ASSIGN_OR_RETURN(NamePattern pattern, ParseRegex(text, std::string(expression), "targets", fields));
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

}  // namespace heroq
