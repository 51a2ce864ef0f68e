#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/blob/directory_blob_store.h"
#include "common/file/file_system.h"
#include "coordinator/assembly/job_driver.h"
#include "coordinator/planning/planner.h"
#include "coordinator/state/coordinator_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/stand_in_worker.h"

namespace heroq {

// Every hashed file of a published directory and the manifest itself, by name; empty when there is no
// manifest.
std::map<std::string, std::string> PublishedBytes(FileSystem& files, const std::string& directory);

// A coordinator without network and workers: store over a journal in memory, driver, and a stand-in for every
// worker that leases ready tasks and commits their results.
class DriverHarness {
 public:
  // Blobs go below `state_directory`. `files` must outlive this.
  DriverHarness(FileSystem& files, const std::string& state_directory);

  // Ends the coordinator and starts one over the same journal and files.
  void Restart();
  void CreateJob(const std::string& job_id, const v1::JobSpec& spec);
  void Cancel(const std::string& job_id);
  // Leases and completes one ready task of the job; false when none is ready.
  bool CompleteOneTask(const std::string& job_id);
  // Driver and workers in turn until nothing moves.
  void RunToEnd(const std::string& job_id);

  std::shared_ptr<const JobRecord> Job(const std::string& job_id) const {
    return store_->Snapshot()->FindJob(job_id);
  }
  JobDriver& driver() { return *driver_; }
  CoordinatorStore& store() { return *store_; }
  DirectoryBlobStore& blobs() { return *blobs_; }
  FakeClock& clock() { return clock_; }
  StandInWorker& worker() { return *worker_; }

  JobDriverOptions options{"1.2.3", false};

 private:
  void Commit(v1::Update update);

  FileSystem& files_;
  FakeClock clock_;
  std::shared_ptr<MemoryLog> log_ = std::make_shared<MemoryLog>();
  std::unique_ptr<DirectoryBlobStore> blobs_;
  std::unique_ptr<StandInWorker> worker_;
  std::unique_ptr<Planner> planner_;
  std::unique_ptr<CoordinatorStore> store_;
  std::unique_ptr<JobDriver> driver_;
};

}  // namespace heroq
