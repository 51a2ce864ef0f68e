#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/planning/task_graph.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/journal.pb.h"
#include "heroq/v1/plan.pb.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

enum class TaskState { kPending, kLeased, kDone };

struct TaskRecord {
  TaskState state = TaskState::kPending;
  int attempts = 0;       // leases granted so far
  int losses = 0;         // charged: lost worker or missed lease (budget 20)
  int failures = 0;       // charged: reported failures (budget 5)
  int out_of_memory = 0;  // own budget (2)
  absl::Time not_before = absl::InfinitePast();
  std::string lease_id;   // while leased; once done, of the lease that finished it
  std::string worker_id;  // once done, of the lease that finished it
  // Of the lease that finished it; a lease of several shards is shared by its tasks.
  std::shared_ptr<const v1::TaskResult> result;

  bool charged() const { return losses + failures + out_of_memory > 0; }
};

struct LeaseRecord {
  std::string lease_id;
  std::vector<int> tasks;  // indices into the graph
  int attempt = 0;
  v1::Fence fence;
  std::string worker_id;
  absl::Time lease_time;
};

struct JobRecord;

// One of the transforms a job tried.
struct TrialRecord {
  v1::Transform transform = v1::TRANSFORM_UNSPECIFIED;
  v1::EvaluationResult evaluation;
  // The job as it was then, without trials.
  std::shared_ptr<const JobRecord> job;
};

// A job as every reader sees it: immutable once published. Job states and phases: job.proto.
struct JobRecord {
  std::string job_id;
  std::string tenant;
  std::string request_id;
  int64_t creation_sequence = 0;  // FIFO order
  v1::JobSpec spec;
  v1::QuantizationJob::State state = v1::QuantizationJob::STATE_QUEUED;
  v1::QuantizationJob::Phase phase = v1::QuantizationJob::PHASE_PLANNING;
  absl::Time create_time, start_time, end_time;
  // Set by JobPlanned.
  std::shared_ptr<const v1::Plan> plan;
  std::shared_ptr<const TaskGraph> graph;
  // The only class that may run its tasks: the spec's, else that of the first lease; empty before.
  std::string numeric_class;
  std::vector<TaskRecord> tasks;                   // parallel to graph->nodes()
  std::map<std::string, LeaseRecord> leases;       // live ones, by lease id
  std::map<std::string, v1::FileAssembled> files;  // by name
  std::string staging_directory;
  v1::JobFailure failure;
  v1::JobFailure blocked;  // without a reason: it is not
  v1::JobResult result;
  // Of a job that tries transforms: which one the plan is, from 1, and those that are finished.
  int trial = 0;
  std::vector<TrialRecord> trials;

  // Runs one more of the transforms it tries; nothing is published after it.
  bool on_trial() const { return trial > static_cast<int>(trials.size()); }
  bool terminal() const {
    return state == v1::QuantizationJob::STATE_SUCCEEDED || state == v1::QuantizationJob::STATE_FAILED ||
           state == v1::QuantizationJob::STATE_CANCELLED;
  }
  // Every dependency done, not leased, phase allows it (evaluate only in PHASE_VALIDATING). Ignores
  // not_before.
  bool Ready(int task) const;
  // All quantize tasks done / all evaluate tasks done.
  bool AllDone(TaskKind kind) const;
};

struct CoordinatorState {
  int64_t epoch = 0;
  int64_t last_fence_counter = 0;                                // of this epoch
  int64_t sequence = 0;                                          // updates applied
  std::map<std::string, std::shared_ptr<const JobRecord>> jobs;  // by job id

  // nullptr when there is none.
  std::shared_ptr<const JobRecord> FindJob(const std::string& job_id) const;
};

}  // namespace heroq
