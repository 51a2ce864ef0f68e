#include "coordinator/assembly/publication.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/blob/sha256.h"
#include "common/file/failpoint.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/assembly/model_card.h"
#include "coordinator/assembly/side_files.h"
#include "coordinator/planning/adapter_plan.h"
#include "coordinator/planning/dense_output.h"
#include "coordinator/planning/gptq_output.h"
#include "coordinator/planning/method_description.h"
#include "coordinator/planning/quantization_config.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/report/job_results.h"
#include "coordinator/report/report_json.h"
#include "coordinator/report/run_json.h"
#include "coordinator/validation/file_digest.h"
#include "coordinator/validation/manifest.h"

namespace heroq {
namespace {

constexpr char kCardName[] = "README.md";
constexpr char kReportName[] = "report/report.json";
constexpr char kRunName[] = "report/run.json";

absl::Status Differs(const std::string& path, const std::string& expected, const std::string& found) {
  return MakeError(
      Reason::kValidationFailed,
      absl::StrCat(path, " does not read back as written: expected SHA-256 ", expected, ", found ", found),
      {{"path", path}});
}

absl::Status WriteChecked(FileSystem& files, const std::string& path, const std::string& bytes) {
  HEROQ_RETURN_IF_ERROR(WriteFileAtomically(files, path, bytes));
  HEROQ_ASSIGN_OR_RETURN(const Digest digest, DigestOfFile(files, path));
  const std::string expected = Sha256Hex(bytes);
  return digest.sha256 == expected ? absl::OkStatus() : Differs(path, expected, digest.sha256);
}

Manifest Describe(const JobRecord& job, const std::string& heroq_version) {
  const v1::Plan& plan = *job.plan;
  Manifest manifest;
  manifest.heroq_version = heroq_version;
  manifest.spec_digest = plan.spec_digest();
  manifest.numeric_class = job.numeric_class;
  manifest.method = DescribeMethod(plan.method()).name;
  manifest.format = PublishesDense(plan) ? kDenseFormat : CheckpointFormat(plan);
  if (!IsGptqFormat(manifest.format)) manifest.compressed_tensors_version = kCompressedTensorsVersion;
  manifest.compute_type = plan.compute_type();
  manifest.calibration_tokens_sha256 = plan.calibration_tokens().sha256();
  manifest.evaluation_tokens_sha256 = plan.evaluation_tokens().sha256();
  manifest.unhashed = {kRunName};
  // Of dense weights nothing but the report says what they were.
  for (const v1::LinearReport* report : LinearReports(job)) {
    if (PublishesDense(plan)) break;
    ManifestLinear& linear = manifest.linears.emplace_back();
    linear.name = report->name();
    linear.scheme = SchemeText(report->scheme());
    linear.weight_error = report->weight_error();
    if (report->has_relative_error()) linear.relative_error = report->relative_error();
    linear.weight_digest = report->weight_digest();
    linear.transformed = report->transformed();
  }
  return manifest;
}

// Compares a weight file with the journal and lists its tensors.
absl::Status AddWeightFile(const JobRecord& job, const v1::PlannedFile& planned,
                           const StagedCheckpoint& staged, Manifest& manifest) {
  const std::string path = JoinPath(staged.directory(), planned.name());
  HEROQ_ASSIGN_OR_RETURN(const PlannedFileDigests digests, staged.DigestsOf(planned));
  const auto recorded = job.files.find(planned.name());
  if (recorded == job.files.end() || recorded->second.sha256() != digests.whole.sha256) {
    return Differs(path, recorded == job.files.end() ? "of the journal" : recorded->second.sha256(),
                   digests.whole.sha256);
  }
  manifest.files.push_back({planned.name(), digests.whole.size_bytes, digests.whole.sha256});
  // `tensors` are those of the model.
  if (IsAdapterFile(planned)) return absl::OkStatus();
  for (const auto& [tensor, digest] : digests.tensors) {
    manifest.tensors.push_back({tensor->name(),
                                planned.name(),
                                tensor->dtype(),
                                {tensor->shape().begin(), tensor->shape().end()},
                                digest,
                                tensor->copied()});
  }
  return absl::OkStatus();
}

v1::JobResult ResultOf(const JobRecord& job, const Manifest& manifest, const std::string& manifest_json) {
  v1::JobResult result = SummarizeResults(job);
  result.set_directory(job.plan->output_directory());
  result.set_manifest_sha256(Sha256Hex(manifest_json));
  int64_t bytes = static_cast<int64_t>(manifest_json.size());
  for (const ManifestFile& file : manifest.files) bytes += file.size_bytes;
  result.set_size_bytes(bytes);
  return result;
}

}  // namespace

absl::StatusOr<v1::JobResult> WriteReportsAndManifest(FileSystem& files, const JobRecord& job,
                                                      const StagedCheckpoint& staged,
                                                      const std::string& heroq_version, absl::Time now) {
  const v1::Plan& plan = *job.plan;
  const std::string& staging = staged.directory();
  HEROQ_ASSIGN_OR_RETURN(const std::string config,
                         ReadFile(files, JoinPath(plan.model_directory(), "config.json")));
  HEROQ_RETURN_IF_ERROR(files.CreateDirectories(JoinPath(staging, "report")));
  HEROQ_RETURN_IF_ERROR(WriteChecked(files, JoinPath(staging, kReportName), ReportJson(job, heroq_version)));
  HEROQ_FAILPOINT(report_after_write);
  HEROQ_RETURN_IF_ERROR(WriteChecked(files, JoinPath(staging, kRunName), RunJson(job, now)));
  HEROQ_FAILPOINT(run_report_after_write);
  HEROQ_RETURN_IF_ERROR(
      WriteChecked(files, JoinPath(staging, kCardName), ModelCard(job, config, heroq_version)));
  HEROQ_FAILPOINT(model_card_after_write);

  Manifest manifest = Describe(job, heroq_version);
  for (const v1::PlannedFile& planned : plan.files()) {
    HEROQ_RETURN_IF_ERROR(AddWeightFile(job, planned, staged, manifest));
  }
  std::vector<std::string> names = SideFileNames(plan);
  names.insert(names.end(), {kCardName, kReportName});
  for (const std::string& name : names) {
    HEROQ_ASSIGN_OR_RETURN(const Digest digest, DigestOfFile(files, JoinPath(staging, name)));
    manifest.files.push_back({name, digest.size_bytes, digest.sha256});
  }
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.name < b.name; });
  std::sort(manifest.tensors.begin(), manifest.tensors.end(),
            [](const ManifestTensor& a, const ManifestTensor& b) { return a.name < b.name; });
  HEROQ_RETURN_IF_ERROR(files.SyncDirectory(JoinPath(staging, "report")));
  HEROQ_RETURN_IF_ERROR(files.SyncDirectory(staging));
  HEROQ_FAILPOINT(manifest_before_write);
  const std::string json = SerializeManifest(manifest);
  HEROQ_RETURN_IF_ERROR(WriteChecked(files, JoinPath(staging, kManifestName), json));
  HEROQ_FAILPOINT(manifest_after_write);
  return ResultOf(job, manifest, json);
}

absl::Status Publish(FileSystem& files, const std::string& staging, const std::string& output) {
  HEROQ_FAILPOINT(publish_before_rename);
  absl::Status renamed = files.RenameNoReplace(staging, output);
  if (absl::IsAlreadyExists(renamed)) {
    const absl::StatusOr<std::vector<std::string>> names = files.List(output);
    if (!names.ok() || !names->empty()) {
      return MakeError(Reason::kOutputExists,
                       absl::StrCat(output, " appeared while the job ran; the result was not published"),
                       {{"path", output}});
    }
    renamed = files.Rename(staging, output);
  }
  HEROQ_RETURN_IF_ERROR(renamed);
  HEROQ_FAILPOINT(publish_after_rename);
  HEROQ_RETURN_IF_ERROR(files.SyncDirectory(DirectoryOf(output)));
  HEROQ_FAILPOINT(publish_after_sync);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::JobResult>> PublishedResult(FileSystem& files, const JobRecord& job) {
  const std::string& output = job.plan->output_directory();
  const std::string path = JoinPath(output, kManifestName);
  if (!files.Exists(path)) return std::optional<v1::JobResult>();
  HEROQ_ASSIGN_OR_RETURN(const std::string json, ReadFile(files, path));
  const absl::StatusOr<Manifest> manifest = ParseManifest(json, path);
  if (!manifest.ok() || manifest->spec_digest != job.plan->spec_digest() ||
      manifest->numeric_class != job.numeric_class) {
    return std::optional<v1::JobResult>();
  }
  for (const ManifestFile& file : manifest->files) {
    const absl::StatusOr<Digest> digest = DigestOfFile(files, JoinPath(output, file.name));
    if (!digest.ok() || digest->sha256 != file.sha256) return std::optional<v1::JobResult>();
  }
  // The rename may not have reached the disk before a crash.
  HEROQ_RETURN_IF_ERROR(files.SyncDirectory(DirectoryOf(output)));
  return std::optional<v1::JobResult>(ResultOf(job, *manifest, json));
}

}  // namespace heroq
