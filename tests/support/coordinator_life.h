#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/blob/directory_blob_store.h"
#include "coordinator/assembly/job_driver.h"
#include "coordinator/planning/planner.h"
#include "coordinator/state/coordinator_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/power_cut_file_system.h"
#include "tests/support/power_cut_vfs.h"
#include "tests/support/stand_in_worker.h"

namespace heroq {

// Serialized updates of a journal in order. Thread-safe.
class UpdateLog {
 public:
  void Add(const v1::Update& update) {
    absl::MutexLock lock(&mutex_);
    updates_.push_back(update.SerializeAsString());
  }
  std::vector<std::string> all() const {
    absl::MutexLock lock(&mutex_);
    return updates_;
  }
  std::size_t size() const {
    absl::MutexLock lock(&mutex_);
    return updates_.size();
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> updates_ ABSL_GUARDED_BY(mutex_);
};

// One life of a coordinator on a disk, from its start to its end: the journal in SQLite, blobs, the driver,
// and a stand-in for its workers. Where a coordinator stops because its journal cannot be written, the disk
// stops changing and the error is kept instead. Thread-compatible; one at a time in a process.
class CoordinatorLife {
 public:
  // State and blobs go below `state_directory`, which also exists outside the disk: the journal asks on what
  // kind of file system it is.
  static absl::StatusOr<std::unique_ptr<CoordinatorLife>> Start(PowerCutFileSystem& files,
                                                                const std::string& state_directory);
  ~CoordinatorLife();

  // What a client does: creates the job unless it exists, and again when it has failed.
  absl::Status EnsureJob(const std::string& job_id, const v1::JobSpec& spec);
  // Driver and worker in turn until nothing moves. An error when the coordinator stopped or the worker could
  // not read or store; a job that failed is no error here.
  absl::Status RunToEnd(const std::string& job_id);

  std::shared_ptr<const JobRecord> Job(const std::string& job_id) const {
    return store_->Snapshot()->FindJob(job_id);
  }
  DirectoryBlobStore& blobs() { return *blobs_; }
  // What the journal held at the start and what was acknowledged as synced since.
  const UpdateLog& acknowledged() const { return acknowledged_; }
  // Its prefix that was read at the start.
  std::size_t replayed() const { return replayed_; }

 private:
  class GuardedJournal;

  explicit CoordinatorLife(PowerCutFileSystem& files) : files_(files), vfs_(files) {}
  absl::Status Open(const std::string& state_directory);
  absl::Status Commit(v1::Update update);
  absl::Status Stopped() const;

  PowerCutFileSystem& files_;
  // Before everything that has a database open.
  PowerCutVfs vfs_;
  FakeClock clock_;
  UpdateLog acknowledged_;
  std::size_t replayed_ = 0;
  mutable absl::Mutex mutex_;
  absl::Status stopped_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<DirectoryBlobStore> blobs_;
  std::unique_ptr<StandInWorker> worker_;
  std::unique_ptr<Planner> planner_;
  std::unique_ptr<CoordinatorStore> store_;
  std::unique_ptr<JobDriver> driver_;
};

}  // namespace heroq
