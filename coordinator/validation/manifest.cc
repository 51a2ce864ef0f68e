#include "coordinator/validation/manifest.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
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
// A million tensors take about 300 MB.
constexpr JsonLimits kLimits{.max_bytes = int64_t{512} << 20, .max_depth = 8, .max_values = 16'000'000};

bool IsCount(const Json& value) {
  return value.is_number_unsigned() &&
         value.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

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
  int64_t Count(const char* key) {
    const Json* value = Find(key);
    return value != nullptr && IsCount(*value) ? value->get<int64_t>()
                                               : Wrong<int64_t>(key, "an integer from 0 to 2^63 - 1");
  }
  std::vector<int64_t> Counts(const char* key) {
    std::vector<int64_t> counts;
    for (const Json& entry : Array(key)) {
      if (!IsCount(entry)) return Wrong<std::vector<int64_t>>(key, "an array of integers from 0 to 2^63 - 1");
      counts.push_back(entry.get<int64_t>());
    }
    return counts;
  }
  std::vector<std::string> Texts(const char* key) {
    std::vector<std::string> texts;
    for (const Json& entry : Array(key)) {
      if (!entry.is_string()) return Wrong<std::vector<std::string>>(key, "an array of strings");
      texts.push_back(entry.get<std::string>());
    }
    return texts;
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
  std::vector<std::string> names = manifest.unhashed;
  for (const ManifestFile& file : manifest.files) names.push_back(file.name);
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!IsPlainName(name)) {
      return MakeError(Reason::kFileCorrupt,
                       absl::StrCat(path, ": file name ", QuoteExcerpt(name), " leaves the directory"));
    }
    if (!seen.insert(name).second) {
      return MakeError(Reason::kFileCorrupt,
                       absl::StrCat(path, ": file ", QuoteExcerpt(name), " is listed twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string SerializeManifest(const Manifest& manifest) {
  OrderedJson json;
  json["schema_version"] = kSchemaVersion;
  json["heroq_version"] = manifest.heroq_version;
  if (!manifest.compressed_tensors_version.empty()) {
    json["compressed_tensors_version"] = manifest.compressed_tensors_version;
  }
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
    entry["weight_digest"] = linear.weight_digest;
    if (linear.transformed) entry["transformed"] = true;
    linears.push_back(std::move(entry));
  }
  return absl::StrCat(json.dump(1), "\n");
}

absl::StatusOr<Manifest> ParseManifest(const std::string& json, const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(const Json parsed, ParseStrictJson(json, path, kLimits));
  absl::Status status;
  Members top(parsed, path, status);
  if (top.Count("schema_version") != kSchemaVersion) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": schema_version is not ", kSchemaVersion));
  }
  Manifest manifest;
  manifest.heroq_version = top.Text("heroq_version");
  if (top.Has("compressed_tensors_version")) {
    manifest.compressed_tensors_version = top.Text("compressed_tensors_version");
  }
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
    manifest.files.push_back({file.Text("name"), file.Count("size_bytes"), file.Text("sha256")});
  }
  manifest.unhashed = top.Texts("unhashed_files");
  for (const Json& entry : top.Array("tensors")) {
    Members tensor(entry, absl::StrCat(path, ": tensors"), status);
    ManifestTensor& parsed_tensor = manifest.tensors.emplace_back();
    parsed_tensor = {tensor.Text("name"),   tensor.Text("file"),  tensor.Text("dtype"), {},
                     tensor.Text("sha256"), tensor.Flag("copied")};
    parsed_tensor.shape = tensor.Counts("shape");
  }
  for (const Json& entry : top.Array("linears")) {
    Members linear(entry, absl::StrCat(path, ": linears"), status);
    ManifestLinear& parsed_linear = manifest.linears.emplace_back();
    parsed_linear = {linear.Text("name"),           linear.Text("scheme"),
                     linear.Number("weight_error"), std::nullopt,
                     linear.Text("weight_digest"),  linear.Has("transformed") && linear.Flag("transformed")};
    if (linear.Has("relative_error")) parsed_linear.relative_error = linear.Number("relative_error");
  }
  HEROQ_RETURN_IF_ERROR(status);
  HEROQ_RETURN_IF_ERROR(CheckNames(manifest, path));
  return manifest;
}

}  // namespace heroq
