#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// Typed reads of a JSON object of a config file. A field that is null counts as absent. Errors name file and
// field: FILE_CORRUPT when a field is absent and has no fallback, has another type, or is out of range. The
// JSON value is not owned and must outlive this. Thread-compatible.
class ConfigFields {
 public:
  // `prefix` goes before field names in messages ("rope_scaling.").
  ConfigFields(const nlohmann::json& object, std::string path, std::string prefix = "")
      : object_(&object), path_(std::move(path)), prefix_(std::move(prefix)) {}

  bool Has(const std::string& field) const;
  absl::StatusOr<int64_t> Integer(const std::string& field, int64_t low, int64_t high,
                                  std::optional<int64_t> fallback = std::nullopt) const;
  // Finite and greater than 0.
  absl::StatusOr<double> PositiveNumber(const std::string& field,
                                        std::optional<double> fallback = std::nullopt) const;
  absl::StatusOr<bool> Boolean(const std::string& field, bool fallback) const;
  // At most 1 KiB.
  absl::StatusOr<std::string> String(const std::string& field,
                                     std::optional<std::string> fallback = std::nullopt) const;
  absl::StatusOr<ConfigFields> Object(const std::string& field) const;

  // FILE_CORRUPT "<file>: <field>: <rule>".
  absl::Status Corrupt(const std::string& field, absl::string_view rule) const;
  // UNSUPPORTED, same form.
  absl::Status Unsupported(const std::string& field, absl::string_view rule) const;

  const std::string& path() const { return path_; }
  const nlohmann::json& json() const { return *object_; }

 private:
  const nlohmann::json* object_;
  std::string path_;
  std::string prefix_;
};

}  // namespace heroq
