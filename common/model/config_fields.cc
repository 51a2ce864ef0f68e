#include "common/model/config_fields.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

// Names of types and kinds; messages quote them.
constexpr std::size_t kMaxText = 1024;

}  // namespace

bool ConfigFields::Has(const std::string& field) const {
  const auto found = object_->find(field);
  return found != object_->end() && !found->is_null();
}

absl::StatusOr<int64_t> ConfigFields::Integer(const std::string& field, int64_t low, int64_t high,
                                              std::optional<int64_t> fallback) const {
  if (!Has(field)) {
    if (fallback.has_value()) return *fallback;
    return Corrupt(field, "is missing");
  }
  const nlohmann::json& value = (*object_)[field];
  if (!value.is_number_integer()) return Corrupt(field, "must be an integer");
  const bool too_large =
      value.is_number_unsigned() && value.get<uint64_t>() > std::numeric_limits<int64_t>::max();
  if (too_large || value.get<int64_t>() < low || value.get<int64_t>() > high) {
    return Corrupt(field, absl::StrCat("is ", value.dump(), ", expected ", low, " to ", high));
  }
  return value.get<int64_t>();
}

absl::StatusOr<double> ConfigFields::PositiveNumber(const std::string& field,
                                                    std::optional<double> fallback) const {
  if (!Has(field)) {
    if (fallback.has_value()) return *fallback;
    return Corrupt(field, "is missing");
  }
  const nlohmann::json& value = (*object_)[field];
  if (!value.is_number()) return Corrupt(field, "must be a number");
  const double number = value.get<double>();
  if (!(number > 0) || !std::isfinite(number)) {
    return Corrupt(field, absl::StrCat("is ", number, ", expected a positive number"));
  }
  return number;
}

absl::StatusOr<bool> ConfigFields::Boolean(const std::string& field, bool fallback) const {
  if (!Has(field)) return fallback;
  const nlohmann::json& value = (*object_)[field];
  if (!value.is_boolean()) return Corrupt(field, "must be true or false");
  return value.get<bool>();
}

absl::StatusOr<std::string> ConfigFields::String(const std::string& field,
                                                 std::optional<std::string> fallback) const {
  if (!Has(field)) {
    if (fallback.has_value()) return *std::move(fallback);
    return Corrupt(field, "is missing");
  }
  const nlohmann::json& value = (*object_)[field];
  if (!value.is_string()) return Corrupt(field, "must be a string");
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > kMaxText) {
    return Corrupt(field, absl::StrCat("has ", text.size(), " bytes, expected at most ", kMaxText));
  }
  return text;
}

absl::StatusOr<ConfigFields> ConfigFields::Object(const std::string& field) const {
  if (!Has(field)) return Corrupt(field, "is missing");
  const nlohmann::json& value = (*object_)[field];
  if (!value.is_object()) return Corrupt(field, "must be an object");
  return ConfigFields(value, path_, absl::StrCat(prefix_, field, "."));
}

absl::Status ConfigFields::Corrupt(const std::string& field, absl::string_view rule) const {
  return MakeError(Reason::kFileCorrupt, absl::StrCat(path_, ": ", prefix_, field, ": ", rule),
                   {{"file", path_}, {"field", prefix_ + field}});
}

absl::Status ConfigFields::Unsupported(const std::string& field, absl::string_view rule) const {
  return MakeError(Reason::kUnsupported, absl::StrCat(path_, ": ", prefix_, field, ": ", rule),
                   {{"file", path_}, {"field", prefix_ + field}});
}

}  // namespace heroq
