#include "coordinator/validation/manifest.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;

absl::Status Corrupt(const std::string& path, absl::string_view problem) {
  return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": ", problem));
}

bool StaysInside(const std::string& name) {
  if (name.empty() || name.front() == '/') return false;
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](const std::string& p) { return p.empty() || p == "." || p == ".."; });
}

absl::StatusOr<ManifestFile> ParseFile(const Json& entry, const std::string& path) {
  if (!entry.is_object() || !entry.value("name", Json()).is_string() || !StaysInside(entry["name"])) {
    return Corrupt(path, absl::StrCat("files: ", entry.dump(), " has no usable name"));
  }
  ManifestFile file{entry["name"], 0, ""};
  const Json size = entry.value("size_bytes", Json());
  const Json hash = entry.value("sha256", Json());
  if (!size.is_number_unsigned() || !hash.is_string()) {
    return Corrupt(path, absl::StrCat("files: ", file.name, " needs size_bytes and sha256"));
  }
  file.size_bytes = size.get<int64_t>();
  file.sha256 = hash.get<std::string>();
  return file;
}

}  // namespace

std::string SerializeManifest(const Manifest& manifest) {
  OrderedJson json;
  json["schema_version"] = kSchemaVersion;
  json["heroq_version"] = manifest.heroq_version;
  json["spec_digest"] = manifest.spec_digest;
  json["numeric_class"] = manifest.numeric_class;
  json["method"] = manifest.method;
  json["files"] = OrderedJson::array();
  for (const ManifestFile& file : manifest.files) {
    json["files"].push_back({{"name", file.name}, {"size_bytes", file.size_bytes}, {"sha256", file.sha256}});
  }
  json["unhashed_files"] = manifest.unhashed_files;
  json["linears"] = OrderedJson::object();
  for (const auto& [name, linear] : manifest.linears) {
    OrderedJson& entry = json["linears"][name];
    entry["scheme"] = linear.scheme;
    entry["weight_error"] = linear.weight_error;
    if (linear.relative_error >= 0) entry["relative_error"] = linear.relative_error;
  }
  return json.dump(1) + "\n";
}

absl::StatusOr<Manifest> ParseManifest(absl::string_view json, const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(const Json root, ParseStrictJson(json, path));
  if (!root.is_object() || root.value("schema_version", Json()) != kSchemaVersion) {
    return Corrupt(path, absl::StrCat("schema_version is not ", kSchemaVersion));
  }
  Manifest manifest;
  for (const auto& [member, target] :
       {std::pair{"heroq_version", &manifest.heroq_version}, std::pair{"spec_digest", &manifest.spec_digest},
        std::pair{"numeric_class", &manifest.numeric_class}, std::pair{"method", &manifest.method}}) {
    const Json value = root.value(member, Json());
    if (!value.is_string()) return Corrupt(path, absl::StrCat(member, " is not a string"));
    *target = value.get<std::string>();
  }
  const Json files = root.value("files", Json());
  if (!files.is_array()) return Corrupt(path, "files is not an array");
  for (const Json& entry : files) {
    HEROQ_ASSIGN_OR_RETURN(ManifestFile file, ParseFile(entry, path));
    manifest.files.push_back(std::move(file));
  }
  for (const Json& name : root.value("unhashed_files", Json::array())) {
    if (!name.is_string() || !StaysInside(name)) return Corrupt(path, "unhashed_files holds no usable name");
    manifest.unhashed_files.push_back(name);
  }
  const Json linears = root.value("linears", Json());
  if (!linears.is_object()) return Corrupt(path, "linears is not an object");
  for (const auto& [name, entry] : linears.items()) {
    const Json scheme = entry.value("scheme", Json());
    const Json error = entry.value("weight_error", Json());
    if (!scheme.is_string() || !error.is_number()) {
      return Corrupt(path, absl::StrCat("linears: ", name, " needs scheme and weight_error"));
    }
    manifest.linears[name] = {scheme, error, entry.value("relative_error", -1.0)};
  }
  return manifest;
}

}  // namespace heroq
