#include "coordinator/validation/manifest.h"

#include <nlohmann/json.hpp>
#include <utility>

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

// Reads members of one object and remembers the first that is missing or of the wrong type.
class Members {
 public:
  Members(const Json& object, std::string where, absl::Status& status)
      : object_(object), where_(std::move(where)), status_(status) {}

  std::string Text(const char* key) {
    const Json* value = Find(key);
    return value != nullptr && value->is_string() ? value->get<std::string>()
                                                  : Wrong<std::string>(key, "a string");
  }
  int64_t Integer(const char* key) {
    const Json* value = Find(key);
    return value != nullptr && value->is_number_integer() ? value->get<int64_t>()
                                                          : Wrong<int64_t>(key, "an integer");
  }
  double Number(const char* key) {
    const Json* value = Find(key);
    return value != nullptr && value->is_number() ? value->get<double>() : Wrong<double>(key, "a number");
  }
  bool Flag(const char* key) {
    const Json* value = Find(key);
    return value != nullptr && value->is_boolean() ? value->get<bool>() : Wrong<bool>(key, "true or false");
  }
  const Json& Array(const char* key) {
    static const Json* const kEmpty = new Json(Json::array());
    const Json* value = Find(key);
    if (value != nullptr && value->is_array()) return *value;
    Wrong<int>(key, "an array");
    return *kEmpty;
  }
  bool Has(const char* key) const {
    return object_.is_object() && object_.contains(key) && !object_[key].is_null();
  }

 private:
  const Json* Find(const char* key) const {
    return object_.is_object() && object_.contains(key) ? &object_[key] : nullptr;
  }
  template <typename T>
  T Wrong(const char* key, const char* expected) {
    if (status_.ok()) {
      status_ =
          MakeError(Reason::kFileCorrupt, absl::StrCat(where_, ": ", key, " is missing or not ", expected));
    }
    return T();
  }

  const Json& object_;
  const std::string where_;
  absl::Status& status_;
};

// File names of a manifest are joined to its directory.
bool IsPlainName(const std::string& name) {
  if (name.empty() || name.front() == '/') return false;
  for (absl::string_view part : absl::StrSplit(name, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

absl::Status CheckNames(const Manifest& manifest, const std::string& path) {
  for (const ManifestFile& file : manifest.files) {
    if (!IsPlainName(file.name)) {
      return MakeError(Reason::kFileCorrupt,
                       absl::StrCat(path, ": file name '", file.name, "' leaves the directory"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string SerializeManifest(const Manifest& manifest) {
  OrderedJson json;
  json["schema_version"] = kSchemaVersion;
  json["heroq_version"] = manifest.heroq_version;
  json["compressed_tensors_version"] = manifest.compressed_tensors_version;
  json["spec_digest"] = manifest.spec_digest;
  json["numeric_class"] = manifest.numeric_class;
  json["method"] = manifest.method;
  json["format"] = manifest.format;
  json["compute_type"] = manifest.compute_type;
  if (!manifest.calibration_tokens_sha256.empty()) {
    json["calibration_tokens_sha256"] = manifest.calibration_tokens_sha256;
  }
  if (!manifest.evaluation_tokens_sha256.empty()) {
    json["evaluation_tokens_sha256"] = manifest.evaluation_tokens_sha256;
  }
  OrderedJson& files = json["files"] = OrderedJson::array();
  for (const ManifestFile& file : manifest.files) {
    files.push_back({{"name", file.name}, {"size_bytes", file.size_bytes}, {"sha256", file.sha256}});
  }
  json["unhashed_files"] = manifest.unhashed;
  OrderedJson& tensors = json["tensors"] = OrderedJson::array();
  for (const ManifestTensor& tensor : manifest.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"file", tensor.file},
                       {"dtype", tensor.dtype},
                       {"shape", tensor.shape},
                       {"copied", tensor.copied},
                       {"sha256", tensor.sha256}});
  }
  OrderedJson& linears = json["linears"] = OrderedJson::array();
  for (const ManifestLinear& linear : manifest.linears) {
    OrderedJson entry = {
        {"name", linear.name}, {"scheme", linear.scheme}, {"weight_error", linear.weight_error}};
    if (linear.relative_error.has_value()) entry["relative_error"] = *linear.relative_error;
    linears.push_back(std::move(entry));
  }
  return absl::StrCat(json.dump(1), "\n");
}

absl::StatusOr<Manifest> ParseManifest(const std::string& json, const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(const Json parsed, ParseStrictJson(json, path, {int64_t{1} << 30, 64}));
  absl::Status status;
  Members top(parsed, path, status);
  if (top.Integer("schema_version") != kSchemaVersion) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": schema_version is not ", kSchemaVersion));
  }
  Manifest manifest;
  manifest.heroq_version = top.Text("heroq_version");
  manifest.compressed_tensors_version = top.Text("compressed_tensors_version");
  manifest.spec_digest = top.Text("spec_digest");
  manifest.numeric_class = top.Text("numeric_class");
  manifest.method = top.Text("method");
  manifest.format = top.Text("format");
  manifest.compute_type = top.Text("compute_type");
  if (top.Has("calibration_tokens_sha256"))
    manifest.calibration_tokens_sha256 = top.Text("calibration_tokens_sha256");
  if (top.Has("evaluation_tokens_sha256"))
    manifest.evaluation_tokens_sha256 = top.Text("evaluation_tokens_sha256");
  for (const Json& entry : top.Array("files")) {
    Members file(entry, absl::StrCat(path, ": files"), status);
    manifest.files.push_back({file.Text("name"), file.Integer("size_bytes"), file.Text("sha256")});
  }
  for (const Json& name : top.Array("unhashed_files")) {
    if (name.is_string()) manifest.unhashed.push_back(name.get<std::string>());
  }
  for (const Json& entry : top.Array("tensors")) {
    Members tensor(entry, absl::StrCat(path, ": tensors"), status);
    ManifestTensor& parsed_tensor = manifest.tensors.emplace_back();
    parsed_tensor = {tensor.Text("name"),   tensor.Text("file"),  tensor.Text("dtype"), {},
                     tensor.Text("sha256"), tensor.Flag("copied")};
    for (const Json& dimension : tensor.Array("shape")) {
      if (dimension.is_number_integer()) parsed_tensor.shape.push_back(dimension.get<int64_t>());
    }
  }
  for (const Json& entry : top.Array("linears")) {
    Members linear(entry, absl::StrCat(path, ": linears"), status);
    ManifestLinear& parsed_linear = manifest.linears.emplace_back();
    parsed_linear = {linear.Text("name"), linear.Text("scheme"), linear.Number("weight_error"), std::nullopt};
    if (linear.Has("relative_error")) parsed_linear.relative_error = linear.Number("relative_error");
  }
  HEROQ_RETURN_IF_ERROR(status);
  HEROQ_RETURN_IF_ERROR(CheckNames(manifest, path));
  return manifest;
}

}  // namespace heroq
