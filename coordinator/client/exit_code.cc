#include "coordinator/client/exit_code.h"

#include "common/status/error_reason.h"

namespace heroq {

ExitCode ExitCodeOf(const absl::Status& status) {
  if (HasReason(status, Reason::kInvalidSpec)) return ExitCode::kUsage;
  if (HasReason(status, Reason::kQualityGateFailed)) return ExitCode::kQualityGateFailed;
  if (HasReason(status, Reason::kIo)) return ExitCode::kError;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return ExitCode::kNotAllowed;
    case absl::StatusCode::kUnavailable:
      return ExitCode::kUnavailable;
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kTimeout;
    case absl::StatusCode::kCancelled:
      return ExitCode::kInterrupted;
    default:
      return ExitCode::kError;
  }
}

ExitCode ExitCodeOf(const v1::QuantizationJob& job) {
  switch (job.state()) {
    case v1::QuantizationJob::STATE_SUCCEEDED:
      return ExitCode::kOk;
    case v1::QuantizationJob::STATE_FAILED:
      return job.failure().reason() == InfoOf(Reason::kQualityGateFailed).name ? ExitCode::kQualityGateFailed
                                                                               : ExitCode::kJobFailed;
    case v1::QuantizationJob::STATE_CANCELLED:
      return ExitCode::kJobFailed;
    default:
      return ExitCode::kError;
  }
}

}  // namespace heroq
