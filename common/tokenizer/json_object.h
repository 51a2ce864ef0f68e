#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// A JSON object of tokenizer.json with the place it stands at ("pre_tokenizer.pretokenizers[1]"), which every
// error names. Wrong types and missing fields are FILE_CORRUPT. Refers to `json`, which must outlive it.
class JsonObject {
 public:
  static absl::StatusOr<JsonObject> Of(const nlohmann::json& json, const std::string& place);

  const std::string& place() const { return place_; }
  // The field, or null when it is absent.
  const nlohmann::json& Get(const char* key) const;
  absl::StatusOr<JsonObject> Object(const char* key) const;
  // An array's elements; FILE_CORRUPT for anything else.
  absl::StatusOr<const nlohmann::json*> Array(const char* key) const;
  absl::StatusOr<std::string> String(const char* key) const;
  absl::StatusOr<int32_t> Id(const char* key) const;
  absl::StatusOr<bool> Bool(const char* key) const;
  // The default when absent or null.
  absl::StatusOr<bool> BoolOr(const char* key, bool value) const;

  std::string PlaceOf(const char* key) const;
  // "pre_tokenizer.pretokenizers[1]"
  std::string PlaceOf(const char* key, std::size_t index) const;

  // TOKENIZER_UNSUPPORTED for a key that is not in `known`: it may change what the part does.
  absl::Status RefuseUnknown(std::initializer_list<absl::string_view> known) const;

  absl::Status Corrupt(absl::string_view what) const;
  absl::Status Unsupported(absl::string_view what) const;

 private:
  JsonObject(const nlohmann::json* json, std::string place) : json_(json), place_(std::move(place)) {}

  const nlohmann::json* json_;
  std::string place_;
};

// A token id: an integer from 0 to 2^31 - 1. Nothing for anything else.
std::optional<int32_t> IdOf(const nlohmann::json& json);
// FILE_CORRUPT naming `place` for what is no token id.
absl::StatusOr<int32_t> ParseId(const nlohmann::json& json, const std::string& place);

}  // namespace heroq
