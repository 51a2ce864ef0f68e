#include "coordinator/scheduling/attempt_budget.h"

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

v1::JobFailure Failure(Reason reason, const std::string& task_id, const std::string& message) {
  v1::JobFailure failure;
  failure.set_reason(std::string(InfoOf(reason).name));
  failure.set_message(message);
  failure.set_task_id(task_id);
  return failure;
}

std::string LastError(const std::string& message) {
  return message.empty() ? "" : absl::StrCat("; the last time: ", message);
}

}  // namespace

bool IsRetried(v1::FailureKind kind) {
  return kind != v1::FAILURE_KIND_INVALID_INPUT && kind != v1::FAILURE_KIND_NUMERICAL &&
         kind != v1::FAILURE_KIND_UNSUPPORTED;
}

bool SpeaksAgainstWorker(v1::FailureKind kind) {
  return IsRetried(kind) && kind != v1::FAILURE_KIND_INPUT_LOST;
}

std::optional<v1::JobFailure> JudgeAttempts(const TaskRecord& task, const std::string& task_id,
                                            v1::FailureKind kind, const std::string& message,
                                            const LeaseOptions& options) {
  const std::string permanent = absl::StrCat("task ", task_id, ": ", message);
  switch (kind) {
    case v1::FAILURE_KIND_INVALID_INPUT:
      return Failure(Reason::kModelInvalid, task_id, permanent);
    case v1::FAILURE_KIND_NUMERICAL:
      return Failure(Reason::kNumericalFailure, task_id, permanent);
    case v1::FAILURE_KIND_UNSUPPORTED:
      return Failure(Reason::kUnsupported, task_id, permanent);
    default:
      break;
  }
  if (task.out_of_memory >= options.out_of_memory_budget) {
    return Failure(Reason::kOutOfMemory, task_id,
                   absl::StrCat("task ", task_id, " ran out of memory ", task.out_of_memory, " times",
                                LastError(message)));
  }
  if (task.failures >= options.failure_budget) {
    return Failure(Reason::kRetriesExhausted, task_id,
                   absl::StrCat("task ", task_id, " failed ", task.failures, " times", LastError(message)));
  }
  if (task.losses >= options.loss_budget) {
    return Failure(
        Reason::kRetriesExhausted, task_id,
        absl::StrCat("task ", task_id, " lost its worker ", task.losses, " times", LastError(message)));
  }
  return std::nullopt;
}

std::optional<v1::JobFailure> JudgeDeaths(int deaths, const std::string& task_id,
                                          const LeaseOptions& options) {
  if (deaths < options.quarantine_after) return std::nullopt;
  return Failure(Reason::kRetriesExhausted, task_id,
                 absl::StrCat("task ", task_id, " is quarantined: ", deaths, " workers in a row died on it"));
}

}  // namespace heroq
