#pragma once

#include <string>
#include <vector>

#include "coordinator/state/job_record.h"
#include "heroq/v1/journal.pb.h"
#include "heroq/v1/plan.pb.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

// Plans, updates and results of small jobs, with every field the state and the scheduler look at.
struct TestPlanOptions {
  int blocks = 2;
  int shards = 4;
  int samples = 8;
  v1::Propagation propagation = v1::PROPAGATION_FULL_PRECISION;
  bool calibrated = true;
  bool quantized = true;
  int evaluation_sequences = 0;
};

// Each block has the units "attention" (q_proj reads attention_in, o_proj attention_out; 16 wide) and "mlp"
// (down_proj reads mlp_out, 32 wide), and one file per block, "model-<block>.safetensors".
v1::Plan TestPlan(const TestPlanOptions& options = {});

v1::BlobDigest TestDigest(const std::string& content);

// What a correct worker hands in for a leased task: digests that are a function of job, task and output.
v1::TaskResult TestResult(const v1::Task& task, int shards);

v1::Update CreateUpdate(const std::string& job_id, int priority = 0, const std::string& numeric_class = "");
v1::Update PlanUpdate(const std::string& job_id, const v1::Plan& plan);
// A lease of `tasks` for worker "w" of class "c" that fits `state`.
v1::Update LeaseUpdate(const CoordinatorState& state, const std::string& job_id,
                       const std::vector<std::string>& tasks);
v1::Update CompleteUpdate(const v1::TaskLeased& lease, const v1::TaskResult& result = {});
v1::Update ReturnUpdate(const v1::TaskLeased& lease, v1::TaskReturned::Cause cause,
                        v1::FailureKind kind = v1::FAILURE_KIND_UNSPECIFIED);
v1::Update PhaseUpdate(const std::string& job_id, v1::QuantizationJob::Phase phase,
                       const std::string& directory = "");
v1::Update CancelUpdate(const std::string& job_id);
v1::Update EndUpdate(const std::string& job_id, v1::QuantizationJob::State state);

}  // namespace heroq
