#pragma once

#include <memory>
#include <string>

#include "common/blob/directory_blob_store.h"
#include "common/file/file_system.h"
#include "common/time/clock.h"
#include "coordinator/planning/planner.h"
#include "coordinator/state/coordinator_store.h"

namespace heroq {

struct JobDriverOptions {
  std::string version;
  // Keep blobs of jobs that have ended (`--keep-state`).
  bool keep_state = false;
};

// The coordinator's own work on jobs, on one background thread: plans queued jobs, writes results into the
// staged checkpoint while tasks still run, validates, publishes with one rename, ends the job; drops blobs
// after their last reader; finishes cancellations. Idempotent at every step: a new JobDriver over the same
// state continues (recovery). References outlive this. Thread-safe.
class JobDriver {
 public:
  JobDriver(CoordinatorStore& store, Planner& planner, FileSystem& files, DirectoryBlobStore& blobs,
            Clock& clock, JobDriverOptions options);
  // Stops after the current step.
  ~JobDriver();

  // Starts the thread; it wakes on every committed update.
  void Start();
  // Does everything that can be done now on the calling thread and returns: for tests, instead of Start.
  void RunUntilIdle();
  // One step of every job; false when there was nothing to do. For tests that stop in between.
  bool RunOneStep();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heroq
