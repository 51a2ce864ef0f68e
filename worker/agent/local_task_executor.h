#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>

#include "common/process/worker_memory.h"
#include "common/time/clock.h"
#include "worker/agent/hidden_state_cache.h"
#include "worker/agent/task_executor.h"
#include "worker/loading/weight_source.h"

namespace heroq {

// Runs tasks in this process with LibTorch: sets the job's threads, opens the model once per job, hands the
// task to its function and measures it. Nothing LibTorch throws leaves it. One call at a time.
class LocalTaskExecutor final : public TaskExecutor {
 public:
  // `clock` outlives this. `device` comes from OpenDevice. Hidden states just produced are kept for the next
  // task up to `cache_bytes`.
  LocalTaskExecutor(Clock& clock, c10::Device device, int64_t cache_bytes = kHiddenStateCacheBytes)
      : clock_(clock), device_(device), hidden_states_(cache_bytes) {}

  absl::StatusOr<v1::TaskResult> Execute(const v1::Task& task, const v1::JobContext& context,
                                         const TaskEnvironment& environment) override;

 private:
  absl::Status OpenModel(const v1::JobContext& context, FileSystem& files);
  absl::StatusOr<v1::TaskResult> Dispatch(const v1::Task& task, const v1::JobContext& context,
                                          const TaskEnvironment& environment);

  Clock& clock_;
  const c10::Device device_;
  HiddenStateCache hidden_states_;
  std::string open_job_;
  std::unique_ptr<WeightSource> original_;  // of open_job_
  std::unique_ptr<WeightSource> rotated_;   // what the job quantizes, where that is another
};

}  // namespace heroq
