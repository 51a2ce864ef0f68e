#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/manifest_check.h"

namespace heroq {
namespace {

using Json = nlohmann::json;

constexpr char kReportName[] = "report/report.json";
constexpr int64_t kMaxReportBytes = int64_t{256} << 20;

Json Member(const Json& report, const char* pointer) {
  const Json::json_pointer at(pointer);
  return report.is_object() && report.contains(at) ? report[at] : Json(nullptr);
}

Json OrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json OrNull(const std::optional<double>& value) { return value.has_value() ? Json(*value) : Json(nullptr); }

}  // namespace

absl::Status CheckManifestReport(FileSystem& files, const std::string& directory, const Manifest& manifest,
                                 Findings& findings) {
  const bool listed = std::any_of(manifest.files.begin(), manifest.files.end(),
                                  [](const ManifestFile& file) { return file.name == kReportName; });
  const std::string path = JoinPath(directory, kReportName);
  if (!listed || !files.Exists(path)) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, path, kMaxReportBytes));
  JsonLimits limits;
  limits.max_bytes = kMaxReportBytes;
  const absl::StatusOr<Json> parsed = ParseStrictJson(text, path, limits);
  if (!findings.Check(parsed.ok() && parsed->is_object(), "report_invalid", {"", kReportName},
                      "a JSON object", parsed.ok() ? "another value" : parsed.status().message())) {
    return absl::OkStatus();
  }
  const auto same = [&](const std::string& tensor, const char* what, const Json& in_manifest,
                        const Json& in_report) {
    findings.Check(in_manifest == in_report, "manifest_report", {tensor, kManifestName},
                   absl::StrCat(what, " of ", kReportName, ": ", in_report.dump()), in_manifest.dump());
  };
  same("", "heroq_version", manifest.heroq_version, Member(*parsed, "/heroq_version"));
  same("", "spec_digest", manifest.spec_digest, Member(*parsed, "/spec_digest"));
  same("", "numeric_class", manifest.numeric_class, Member(*parsed, "/numeric_class"));
  same("", "compute_type", manifest.compute_type, Member(*parsed, "/compute_type"));
  same("", "method", manifest.method, Member(*parsed, "/method/name"));
  same("", "calibration_tokens_sha256", OrNull(manifest.calibration_tokens_sha256),
       Member(*parsed, "/calibration/tokens_sha256"));
  same("", "evaluation_tokens_sha256", OrNull(manifest.evaluation_tokens_sha256),
       Member(*parsed, "/evaluation/tokens_sha256"));

  std::map<std::string, Json> reported;
  const Json linears = Member(*parsed, "/linears");
  for (const Json& linear : linears.is_array() ? linears : Json::array()) {
    const Json name = Member(linear, "/name");
    if (name.is_string()) reported[name.get<std::string>()] = linear;
  }
  for (const ManifestLinear& linear : manifest.linears) {
    const Json& report = reported[linear.name];
    same(linear.name, "scheme", linear.scheme, Member(report, "/scheme"));
    same(linear.name, "weight_error", linear.weight_error, Member(report, "/weight_error"));
    same(linear.name, "relative_error", OrNull(linear.relative_error), Member(report, "/relative_error"));
    same(linear.name, "weight_digest", linear.weight_digest, Member(report, "/weight_digest"));
    same(linear.name, "transformed", linear.transformed ? Json(true) : Json(),
         Member(report, "/transformed"));
  }
  return absl::OkStatus();
}

}  // namespace heroq
