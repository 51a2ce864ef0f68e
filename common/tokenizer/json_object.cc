#include "common/tokenizer/json_object.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {

absl::StatusOr<JsonObject> JsonObject::Of(const nlohmann::json& json, const std::string& place) {
  if (!json.is_object()) return MakeError(Reason::kFileCorrupt, absl::StrCat(place, " must be an object"));
  return JsonObject(&json, place);
}

const nlohmann::json& JsonObject::Get(const char* key) const {
  static const auto* null = new nlohmann::json(nullptr);
  const auto field = json_->find(key);
  return field == json_->end() ? *null : *field;
}

absl::StatusOr<JsonObject> JsonObject::Object(const char* key) const { return Of(Get(key), PlaceOf(key)); }

absl::StatusOr<const nlohmann::json*> JsonObject::Array(const char* key) const {
  const nlohmann::json& field = Get(key);
  if (!field.is_array()) return Corrupt(absl::StrCat(key, " must be an array"));
  return &field;
}

absl::StatusOr<std::string> JsonObject::String(const char* key) const {
  const nlohmann::json& field = Get(key);
  if (!field.is_string()) return Corrupt(absl::StrCat(key, " must be a string"));
  return field.get_ref<const std::string&>();
}

absl::StatusOr<int32_t> JsonObject::Id(const char* key) const { return ParseId(Get(key), PlaceOf(key)); }

absl::StatusOr<bool> JsonObject::Bool(const char* key) const {
  const nlohmann::json& field = Get(key);
  if (!field.is_boolean()) return Corrupt(absl::StrCat(key, " must be true or false"));
  return field.get<bool>();
}

absl::StatusOr<bool> JsonObject::BoolOr(const char* key, bool value) const {
  if (Get(key).is_null()) return value;
  return Bool(key);
}

std::string JsonObject::PlaceOf(const char* key) const {
  return place_.empty() ? std::string(key) : absl::StrCat(place_, ".", key);
}

std::string JsonObject::PlaceOf(const char* key, std::size_t index) const {
  return absl::StrCat(PlaceOf(key), "[", index, "]");
}

absl::Status JsonObject::RefuseUnknown(std::initializer_list<absl::string_view> known) const {
  for (const auto& [key, value] : json_->items()) {
    if (std::find(known.begin(), known.end(), absl::string_view(key)) == known.end()) {
      return Unsupported(absl::StrCat("field ", key));
    }
  }
  return absl::OkStatus();
}

absl::Status JsonObject::Corrupt(absl::string_view what) const {
  return MakeError(Reason::kFileCorrupt,
                   place_.empty() ? std::string(what) : absl::StrCat(place_, ": ", what));
}

absl::Status JsonObject::Unsupported(absl::string_view what) const {
  return MakeError(
      Reason::kTokenizerUnsupported,
      absl::StrCat(place_, ": ", what, " is not supported; give token ids with --calibration-tokens FILE"));
}

std::optional<int32_t> IdOf(const nlohmann::json& json) {
  if (!json.is_number_integer()) return std::nullopt;
  const auto id = json.get<int64_t>();
  if (id < 0 || id > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return static_cast<int32_t>(id);
}

absl::StatusOr<int32_t> ParseId(const nlohmann::json& json, const std::string& place) {
  if (const std::optional<int32_t> id = IdOf(json); id.has_value()) return *id;
  return MakeError(Reason::kFileCorrupt, absl::StrCat(place, " must be a token id (0 to 2147483647)"));
}

}  // namespace heroq
