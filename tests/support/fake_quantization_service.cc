#include "tests/support/fake_quantization_service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

constexpr char kPrefix[] = "quantizationJobs/";
constexpr std::size_t kPage = 2;

grpc::Status NotFound(const std::string& name) {
  return ToGrpcStatus(
      MakeError(Reason::kJobNotFound, absl::StrCat("no job '", name.substr(sizeof(kPrefix) - 1), "'")));
}

}  // namespace

void FakeQuantizationService::Add(const std::string& id, v1::QuantizationJob::State state) {
  absl::MutexLock lock(&mutex_);
  v1::QuantizationJob& job = jobs_[kPrefix + id];
  job.set_name(kPrefix + id);
  job.set_state(state);
}

void FakeQuantizationService::EndWhenWatched(const std::string& id, v1::QuantizationJob::State state) {
  absl::MutexLock lock(&mutex_);
  ends_[kPrefix + id] = state;
}

void FakeQuantizationService::BreakNextWatch() {
  absl::MutexLock lock(&mutex_);
  break_next_ = true;
}

void FakeQuantizationService::OnWatch(std::function<void()> action) {
  absl::MutexLock lock(&mutex_);
  on_watch_ = std::move(action);
}

v1::QuantizationJob FakeQuantizationService::job(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  return jobs_[kPrefix + id];
}

std::vector<int64_t> FakeQuantizationService::watched_after() {
  absl::MutexLock lock(&mutex_);
  return watched_after_;
}

grpc::Status FakeQuantizationService::CreateQuantizationJob(grpc::ServerContext* context,
                                                            const v1::CreateQuantizationJobRequest* request,
                                                            v1::QuantizationJob* response) {
  const int samples = request->spec().calibration().samples();
  const int shards = request->spec().calibration().shards();
  if (shards > samples) {
    const std::string problem =
        absl::StrCat("is ", shards, ", more than the ", samples, " sequences they divide");
    return ToGrpcStatus(MakeError(Reason::kInvalidSpec,
                                  absl::StrCat("the job spec is invalid: calibration.shards ", problem),
                                  {{"field:calibration.shards", problem}}));
  }
  const std::string id = request->quantization_job_id().empty() ? "chosen" : request->quantization_job_id();
  absl::MutexLock lock(&mutex_);
  v1::QuantizationJob& job = jobs_[kPrefix + id];
  job.set_name(kPrefix + id);
  job.set_state(v1::QuantizationJob::STATE_QUEUED);
  *job.mutable_spec() = request->spec();
  *response = job;
  return grpc::Status::OK;
}

grpc::Status FakeQuantizationService::GetQuantizationJob(grpc::ServerContext* context,
                                                         const v1::GetQuantizationJobRequest* request,
                                                         v1::QuantizationJob* response) {
  absl::MutexLock lock(&mutex_);
  const auto found = jobs_.find(request->name());
  if (found == jobs_.end()) return NotFound(request->name());
  *response = found->second;
  return grpc::Status::OK;
}

grpc::Status FakeQuantizationService::ListQuantizationJobs(grpc::ServerContext* context,
                                                           const v1::ListQuantizationJobsRequest* request,
                                                           v1::ListQuantizationJobsResponse* response) {
  absl::MutexLock lock(&mutex_);
  std::vector<const v1::QuantizationJob*> matching;
  for (const auto& [name, job] : jobs_) {
    const auto& states = request->states();
    if (states.empty() || std::count(states.begin(), states.end(), job.state()) > 0) matching.push_back(&job);
  }
  const std::size_t first = request->page_token().empty() ? 0 : std::stoul(request->page_token());
  const std::size_t count = std::min(kPage, static_cast<std::size_t>(request->page_size()));
  const std::size_t end = std::min(first + count, matching.size());
  for (std::size_t i = first; i < end; ++i) *response->add_quantization_jobs() = *matching[i];
  if (end < matching.size()) response->set_next_page_token(std::to_string(end));
  return grpc::Status::OK;
}

grpc::Status FakeQuantizationService::WatchQuantizationJob(
    grpc::ServerContext* context, const v1::WatchQuantizationJobRequest* request,
    grpc::ServerWriter<v1::WatchQuantizationJobResponse>* writer) {
  v1::WatchQuantizationJobResponse response;
  bool breaks = false;
  v1::QuantizationJob::State end = v1::QuantizationJob::STATE_UNSPECIFIED;
  std::function<void()> on_watch;
  {
    absl::MutexLock lock(&mutex_);
    watched_after_.push_back(request->after_sequence());
    const auto found = jobs_.find(request->name());
    if (found == jobs_.end()) return NotFound(request->name());
    *response.mutable_job() = found->second;
    breaks = std::exchange(break_next_, false);
    if (const auto planned = ends_.find(request->name()); planned != ends_.end()) end = planned->second;
    on_watch = on_watch_;
  }
  writer->Write(response);
  if (on_watch) on_watch();
  if (end == v1::QuantizationJob::STATE_UNSPECIFIED) {
    absl::MutexLock lock(&mutex_);
    // Ends with the client; looked at a hundred times a second, as this interface offers no notification.
    const auto never = [] { return false; };
    while (!context->IsCancelled()) {
      mutex_.AwaitWithTimeout(absl::Condition(&never), absl::Milliseconds(10));
    }
    return grpc::Status::CANCELLED;
  }
  response.mutable_event()->set_sequence(7);
  response.mutable_event()->set_kind("task_returned");
  response.mutable_event()->set_message("task quantize/0/mlp lost");
  writer->Write(response);
  if (breaks) return ToGrpcStatus(MakeError(Reason::kUnavailable, "the server restarts"));
  response.clear_event();
  v1::QuantizationJob& job = *response.mutable_job();
  job.set_state(end);
  if (end == v1::QuantizationJob::STATE_SUCCEEDED) {
    job.mutable_result()->set_directory("/published/" + job.name().substr(sizeof(kPrefix) - 1));
  } else if (end == v1::QuantizationJob::STATE_FAILED) {
    job.mutable_failure()->set_reason("RETRIES_EXHAUSTED");
    job.mutable_failure()->set_message("no luck");
  }
  writer->Write(response);
  return grpc::Status::OK;
}

grpc::Status FakeQuantizationService::CancelQuantizationJob(grpc::ServerContext* context,
                                                            const v1::CancelQuantizationJobRequest* request,
                                                            v1::QuantizationJob* response) {
  absl::MutexLock lock(&mutex_);
  const auto found = jobs_.find(request->name());
  if (found == jobs_.end()) return NotFound(request->name());
  found->second.set_state(v1::QuantizationJob::STATE_CANCELLING);
  *response = found->second;
  return grpc::Status::OK;
}

grpc::Status FakeQuantizationService::DeleteQuantizationJob(grpc::ServerContext* context,
                                                            const v1::DeleteQuantizationJobRequest* request,
                                                            google::protobuf::Empty* response) {
  absl::MutexLock lock(&mutex_);
  return jobs_.erase(request->name()) == 1 ? grpc::Status::OK : NotFound(request->name());
}

grpc::Status FakeQuantizationService::GetServerInfo(grpc::ServerContext* context,
                                                    const v1::GetServerInfoRequest* request,
                                                    v1::ServerInfo* response) {
  response->set_version("9.9.9");
  response->add_roots("models");
  response->add_roots("out");
  return grpc::Status::OK;
}

grpc::Status FakeQuantizationService::ListWorkers(grpc::ServerContext* context,
                                                  const v1::ListWorkersRequest* request,
                                                  v1::ListWorkersResponse* response) {
  v1::Worker& worker = *response->add_workers();
  worker.set_worker_id("w1");
  worker.set_device("cpu");
  worker.set_cores(2);
  worker.set_slots(2);
  worker.set_running(1);
  worker.set_rss_bytes(300'000'000);
  worker.set_seconds_since_heartbeat(1.5);
  worker.set_numeric_class("x");
  return grpc::Status::OK;
}

}  // namespace heroq
