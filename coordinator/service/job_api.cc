#include "coordinator/service/job_api.h"

#include <google/protobuf/util/message_differencer.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/file/failpoint.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/method_description.h"
#include "coordinator/service/job_name.h"
#include "coordinator/service/job_page.h"
#include "coordinator/state/job_summary.h"
#include "coordinator/validation/checkpoint_validator.h"

namespace heroq {
namespace {

constexpr std::size_t kMaxRequestIdBytes = 36;
// Until callers have identities there is one tenant.
constexpr const char* kTenant = "default";

absl::Status JobNotFound(const std::string& job_id) {
  return MakeError(Reason::kJobNotFound, absl::StrCat("job ", job_id, " does not exist"),
                   {{"job_id", job_id}});
}

absl::Status CheckRequestId(const std::string& request_id) {
  if (request_id.size() <= kMaxRequestIdBytes) return absl::OkStatus();
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("request_id has more than ", kMaxRequestIdBytes, " characters"),
                   {{"field:request_id", "too long"}});
}

}  // namespace

JobApi::JobApi(CoordinatorStore& store, LeaseManager& leases, Planner& planner, FileSystem& files,
               Clock& clock, std::string version)
    : store_(store),
      leases_(leases),
      planner_(planner),
      files_(files),
      clock_(clock),
      version_(std::move(version)) {}

absl::StatusOr<v1::QuantizationJob> JobApi::Create(const v1::CreateQuantizationJobRequest& request) {
  HEROQ_RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  if (!request.quantization_job_id().empty())
    HEROQ_RETURN_IF_ERROR(CheckJobId(request.quantization_job_id()));
  absl::MutexLock lock(&create_mutex_);
  HEROQ_ASSIGN_OR_RETURN(const std::shared_ptr<const JobRecord> repeated, FindRepeated(request));
  if (repeated != nullptr) return Summary(*repeated);
  HEROQ_ASSIGN_OR_RETURN(const InspectedJob inspected, planner_.Inspect(request.spec()));
  HEROQ_RETURN_IF_ERROR(CheckOutputIsFree(request.spec()));
  if (request.validate_only()) {
    v1::QuantizationJob job;
    if (!request.quantization_job_id().empty()) job.set_name(JobNameOf(request.quantization_job_id()));
    *job.mutable_spec() = inspected.spec;
    job.set_state(v1::QuantizationJob::STATE_QUEUED);
    return job;
  }
  v1::Update update;
  v1::JobCreated& created = *update.mutable_job_created();
  created.set_job_id(request.quantization_job_id().empty() ? ChooseJobId() : request.quantization_job_id());
  *created.mutable_spec() = request.spec();
  created.set_request_id(request.request_id());
  created.set_tenant(kTenant);
  const std::string job_id = created.job_id();
  HEROQ_FAILPOINT(job_create_before_commit);
  HEROQ_RETURN_IF_ERROR(store_.CommitAndWait(std::move(update)));
  HEROQ_FAILPOINT(job_create_before_reply);
  return Get(JobNameOf(job_id));
}

absl::StatusOr<v1::QuantizationJob> JobApi::Get(const std::string& name) const {
  HEROQ_ASSIGN_OR_RETURN(const std::string job_id, JobIdOf(name));
  const std::shared_ptr<const JobRecord> job = store_.Snapshot()->FindJob(job_id);
  if (job == nullptr) return JobNotFound(job_id);
  return Summary(*job);
}

absl::StatusOr<v1::ListQuantizationJobsResponse> JobApi::List(
    const v1::ListQuantizationJobsRequest& request) const {
  HEROQ_ASSIGN_OR_RETURN(const JobPage page, SelectJobs(*store_.Snapshot(), request));
  v1::ListQuantizationJobsResponse response;
  for (const auto& job : page.jobs) *response.add_quantization_jobs() = Summary(*job);
  response.set_next_page_token(page.next_page_token);
  return response;
}

absl::StatusOr<v1::QuantizationJob> JobApi::Cancel(const std::string& name) {
  HEROQ_ASSIGN_OR_RETURN(const std::string job_id, JobIdOf(name));
  v1::Update update;
  update.mutable_job_cancel_requested()->set_job_id(job_id);
  HEROQ_RETURN_IF_ERROR(store_.CommitAndWait(std::move(update)));
  return Get(name);
}

absl::Status JobApi::Delete(const std::string& name) {
  HEROQ_ASSIGN_OR_RETURN(const std::string job_id, JobIdOf(name));
  v1::Update update;
  update.mutable_job_deleted()->set_job_id(job_id);
  return store_.CommitAndWait(std::move(update));
}

absl::StatusOr<v1::PlanQuantizationJobResponse> JobApi::Plan(const v1::JobSpec& spec) const {
  HEROQ_ASSIGN_OR_RETURN(InspectedJob inspected, planner_.Inspect(spec));
  v1::PlanQuantizationJobResponse response;
  *response.mutable_plan() = std::move(inspected.plan);
  *response.mutable_resolved_spec() = std::move(inspected.spec);
  for (v1::PlannedFile& file : *response.mutable_plan()->mutable_files()) file.clear_header();
  return response;
}

absl::StatusOr<v1::ValidateCheckpointResponse> JobApi::Validate(
    const v1::ValidateCheckpointRequest& request) const {
  HEROQ_ASSIGN_OR_RETURN(const std::string directory,
                         ResolveLocation(planner_.roots(), request.checkpoint()));
  std::string source;
  if (request.has_source()) {
    HEROQ_ASSIGN_OR_RETURN(source, ResolveLocation(planner_.roots(), request.source()));
  }
  return ValidateCheckpoint(files_, directory, source);
}

v1::ServerInfo JobApi::Info() const {
  v1::ServerInfo info;
  info.set_version(version_);
  for (const std::string& method : KnownMethods()) info.add_methods(method);
  for (const std::string& format : KnownFormats()) info.add_formats(format);
  for (const std::string& family : KnownFamilies()) info.add_families(family);
  for (const auto& [name, path] : planner_.roots()) info.add_roots(name);
  return info;
}

v1::QuantizationJob JobApi::Summary(const JobRecord& job) const {
  // A job that has ended runs nothing and waits for nothing; no need to ask.
  if (job.terminal()) return SummarizeJob(job, {}, "");
  return SummarizeJob(job, leases_.Running(job.job_id), leases_.WaitingFor(job.job_id));
}

absl::StatusOr<std::shared_ptr<const JobRecord>> JobApi::FindRepeated(
    const v1::CreateQuantizationJobRequest& request) const {
  if (request.request_id().empty()) return nullptr;
  const std::shared_ptr<const CoordinatorState> state = store_.Snapshot();
  for (const auto& [job_id, job] : state->jobs) {
    if (job->request_id != request.request_id()) continue;
    if (google::protobuf::util::MessageDifferencer::Equals(job->spec, request.spec())) return job;
    return MakeError(
        Reason::kJobExists,
        absl::StrCat("request id ", request.request_id(), " created job ", job_id, " with another spec"),
        {{"job_id", job_id}});
  }
  return nullptr;
}

absl::Status JobApi::CheckOutputIsFree(const v1::JobSpec& spec) const {
  if (!spec.has_output()) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(const std::string output,
                         ResolveLocation(planner_.roots(), spec.output().location()));
  const std::shared_ptr<const CoordinatorState> state = store_.Snapshot();
  for (const auto& [job_id, job] : state->jobs) {
    if (job->terminal() || !job->spec.has_output()) continue;
    const auto other = ResolveLocation(planner_.roots(), job->spec.output().location());
    // A root that is configured no more: that job fails by itself.
    if (!other.ok() || *other != output) continue;
    return MakeError(Reason::kOutputInUse, absl::StrCat("job ", job_id, " is writing to ", output),
                     {{"job_id", job_id}});
  }
  return absl::OkStatus();
}

std::string JobApi::ChooseJobId() const {
  const auto state = store_.Snapshot();
  const std::string base =
      absl::StrCat("job-", absl::FormatTime("%Y%m%d-%H%M%S", clock_.Now(), absl::UTCTimeZone()));
  std::string job_id = base;
  for (int i = 2; state->FindJob(job_id) != nullptr; ++i) job_id = absl::StrCat(base, "-", i);
  return job_id;
}

}  // namespace heroq
