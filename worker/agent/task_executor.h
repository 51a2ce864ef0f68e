#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/blob/blob_store.h"
#include "common/concurrency/cancellation.h"
#include "common/file/file_system.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

// What a task may use. References outlive the call.
struct TaskEnvironment {
  FileSystem& files;  // model directories
  BlobStore& blobs;   // inputs and outputs
  Cancellation cancellation;
  std::function<void(const std::string& activity, double fraction)> progress;
};

// Runs one leased task to a result: the seam between the lease loop (gRPC, no tensors) and the numerics
// (tensors, no gRPC). Errors keep their Reason: NUMERICAL_FAILURE, MODEL_INVALID, OUT_OF_MEMORY,
// BLOB_MISSING, CANCELLED ... Blocking; one call at a time per executor.
class TaskExecutor {
 public:
  virtual ~TaskExecutor() = default;
  virtual absl::StatusOr<v1::TaskResult> Execute(const v1::Task& task, const v1::JobContext& context,
                                                 const TaskEnvironment& environment) = 0;
};

}  // namespace heroq
