#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/blob/blob_store.h"
#include "common/file/file_system.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/journal.pb.h"

namespace heroq {

// Takes the place of every worker of a job: gives the results a worker gives, without numerics. Unit results
// are real: the weights of the model rounded to nearest. Thread-compatible.
class StandInWorker {
 public:
  // Neither is owned.
  StandInWorker(FileSystem& files, BlobStore& blobs) : files_(files), blobs_(blobs) {}

  // The lease and the completion of the first ready task of `job`; nullopt when none is ready. An error says
  // that an input cannot be read or a result not be stored.
  struct Updates {
    v1::Update leased;
    v1::Update completed;
  };
  absl::StatusOr<std::optional<Updates>> RunReadyTask(const CoordinatorState& state, const JobRecord& job);

  // What evaluate tasks report, per token and task of 100 tokens.
  double original_nll = 3.0, quantized_nll = 3.1, kl = 0.05;
  // States the digest of weights it did not store.
  bool states_other_weights = false;
  // Dequantized weights of every unit quantized so far, by linear.
  std::map<std::string, std::vector<float>> rounded;

 private:
  absl::StatusOr<v1::TaskResult> Execute(const JobRecord& job, const TaskNode& node);
  absl::StatusOr<v1::TaskResult> Quantize(const JobRecord& job, const v1::PlannedUnit& unit);
  absl::StatusOr<v1::BlobDigest> Put(absl::string_view bytes, Durability durability);

  FileSystem& files_;
  BlobStore& blobs_;
};

}  // namespace heroq
