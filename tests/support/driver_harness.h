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

namespace heroq {

// Every hashed file of a published directory and the manifest itself, by name; empty when there is no
// manifest.
std::map<std::string, std::string> PublishedBytes(FileSystem& files, const std::string& directory);

// A coordinator without network and workers: store over a journal in memory, driver, and a stand-in for every
// worker that leases ready tasks and commits their results. Unit results are real: the weights of the model
// rounded to nearest.
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

  // What evaluate tasks report, per token and task of 100 tokens.
  double original_nll = 3.0, quantized_nll = 3.1, kl = 0.05;
  // Added to every reported weight error.
  double report_offset = 0;
  JobDriverOptions options{"1.2.3", false};
  // Dequantized weights of every unit quantized so far, by linear.
  std::map<std::string, std::vector<float>> rounded;

 private:
  v1::TaskResult Execute(const JobRecord& job, const TaskNode& node);
  v1::TaskResult Quantize(const JobRecord& job, const v1::PlannedUnit& unit);
  v1::BlobDigest Put(absl::string_view bytes, Durability durability);
  void Commit(v1::Update update);

  FileSystem& files_;
  FakeClock clock_;
  std::shared_ptr<MemoryLog> log_ = std::make_shared<MemoryLog>();
  std::unique_ptr<DirectoryBlobStore> blobs_;
  std::unique_ptr<Planner> planner_;
  std::unique_ptr<CoordinatorStore> store_;
  std::unique_ptr<JobDriver> driver_;
};

}  // namespace heroq
