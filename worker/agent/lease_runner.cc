#include "worker/agent/lease_runner.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/failure_kind.h"

namespace heroq {
namespace {

absl::Status Report(const RunningLease& lease, const absl::StatusOr<v1::TaskResult>& result,
                    ResultReporter& reporter) {
  absl::Status error = result.status();
  v1::FailureKind kind = FailureKindOf(error);
  if (error.ok()) {
    error = reporter.Complete(lease, *result);
    if (error.ok() || HasReason(error, Reason::kStaleAttempt)) return error;
    // A blob that is missing now is one of the result.
    kind = FailureKindOf(error);
    if (kind == v1::FAILURE_KIND_INPUT_LOST) kind = v1::FAILURE_KIND_INTERNAL;
    error = Annotate(error, "the coordinator refused the result");
  } else if (lease.cancellation().cancelled()) {
    return reporter.Release(lease);
  }
  Log(LogLevel::kWarning, "task failed",
      {{"job", lease.token().job_id()}, {"task", lease.lease().task().id()}, {"error", error.ToString()}});
  const std::string reason = ReasonName(error);
  return reporter.Fail(
      lease, kind,
      reason.empty() ? std::string(error.message()) : absl::StrCat(reason, ": ", error.message()));
}

}  // namespace

void RunLease(RunningLease& lease, TaskExecutor& executor, OutputStores& stores, ResultReporter& reporter,
              FileSystem& files, Clock& clock) {
  const v1::Lease& granted = lease.lease();
  const std::shared_ptr<BlobStore> blobs = stores.ForLease(lease);
  const TaskEnvironment environment{
      files, *blobs, lease.cancellation(),
      [&lease](const std::string& activity, double fraction) { lease.SetProgress(activity, fraction); }};
  const absl::Duration start = clock.Monotonic();
  const auto execute = [&]() -> absl::StatusOr<v1::TaskResult> {
    HEROQ_RETURN_IF_ERROR(lease.cancellation().Check());
    return executor.Execute(granted.task(), granted.context(), environment);
  };
  absl::StatusOr<v1::TaskResult> result = execute();
  const double seconds = absl::ToDoubleSeconds(clock.Monotonic() - start);
  if (result.ok() && result->metrics().seconds() == 0) result->mutable_metrics()->set_seconds(seconds);
  if (lease.dead()) return;
  lease.BeginReport();
  const absl::Status reported = Report(lease, result, reporter);
  if (reported.ok()) {
    Log(LogLevel::kDebug, "task ended",
        {{"job", granted.token().job_id()}, {"task", granted.task().id()}, {"seconds", seconds}});
  } else {
    Log(LogLevel::kWarning, "the outcome of a task was not taken",
        {{"job", granted.token().job_id()}, {"task", granted.task().id()}, {"error", reported.ToString()}});
  }
}

}  // namespace heroq
