#include "worker/agent/local_task_executor.h"

#include <c10/core/InferenceMode.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/file/process_memory.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/advance_task.h"
#include "worker/agent/capture_task.h"
#include "worker/agent/counting_blob_store.h"
#include "worker/agent/evaluate_task.h"
#include "worker/agent/method_proto.h"
#include "worker/agent/quantize_task.h"
#include "worker/device/process_usage.h"
#include "worker/device/thread_settings.h"
#include "worker/device/torch_status.h"
#include "worker/loading/checkpoint_weights.h"
#include "worker/loading/rotated_weights.h"

namespace heroq {

absl::StatusOr<v1::TaskResult> LocalTaskExecutor::Execute(const v1::Task& task, const v1::JobContext& context,
                                                          const TaskEnvironment& environment) {
  if (context.threads() < 1) {
    return MakeError(Reason::kInternal, absl::StrCat("job context: threads is ", context.threads()));
  }
  ReturnFreedMemory(kKeptFreedBytes);
  const absl::Duration start = clock_.Monotonic();
  const ProcessUsage before = CurrentProcessUsage();
  CountingBlobStore blobs(environment.blobs);
  const TaskEnvironment counted{environment.files, blobs, environment.cancellation, environment.progress};
  absl::StatusOr<v1::TaskResult> result =
      CatchTorch(absl::StrCat("task ", task.id()), [&]() -> absl::StatusOr<v1::TaskResult> {
        const c10::InferenceMode no_gradients;
        SetTaskThreads(context.threads());
        HEROQ_RETURN_IF_ERROR(OpenModel(context, environment.files));
        return Dispatch(task, context, counted);
      });
  if (!result.ok()) return result;
  const ProcessUsage after = CurrentProcessUsage();
  v1::TaskMetrics& metrics = *result->mutable_metrics();
  metrics.set_seconds(absl::ToDoubleSeconds(clock_.Monotonic() - start));
  metrics.set_cpu_seconds(after.cpu_seconds - before.cpu_seconds);
  metrics.set_peak_rss_bytes(after.peak_rss_bytes);
  metrics.set_bytes_read(blobs.bytes_read());
  metrics.set_bytes_written(blobs.bytes_written());
  return result;
}

absl::Status LocalTaskExecutor::OpenModel(const v1::JobContext& context, FileSystem& files) {
  // A job that tries transforms has models with and without a rotation.
  const std::string job = absl::StrCat(context.job_id(), " ", context.model_directory(), " ",
                                       v1::Transform_Name(context.method().hero_q().transform()));
  if (original_ != nullptr && open_job_ == job) return absl::OkStatus();
  rotated_.reset();
  original_.reset();
  HEROQ_ASSIGN_OR_RETURN(original_, CheckpointWeights::Open(files, context.model_directory(), device_));
  if (const auto kind = ResidualRotationOf(context.method())) {
    rotated_ = std::make_unique<RotatedWeights>(
        *original_, ResidualRotation(*kind, original_->layout().hidden_size, context.seed()));
  }
  open_job_ = job;
  return absl::OkStatus();
}

absl::StatusOr<v1::TaskResult> LocalTaskExecutor::Dispatch(const v1::Task& task,
                                                           const v1::JobContext& context,
                                                           const TaskEnvironment& environment) {
  const WeightSource& model = rotated_ != nullptr ? static_cast<const WeightSource&>(*rotated_) : *original_;
  switch (task.kind_case()) {
    case v1::Task::kCapture:
      return RunCaptureTask(task.capture(), context, environment, model, hidden_states_);
    case v1::Task::kQuantize:
      return RunQuantizeTask(task.quantize(), context, environment, model);
    case v1::Task::kAdvance:
      return RunAdvanceTask(task.advance(), context, environment, model, hidden_states_);
    case v1::Task::kEvaluate:
      return RunEvaluateTask(task.evaluate(), context, environment, *original_);
    case v1::Task::KIND_NOT_SET:
      break;
  }
  return MakeError(Reason::kUnsupported,
                   absl::StrCat("task ", task.id(), " is of a kind this worker does not know"));
}

}  // namespace heroq
