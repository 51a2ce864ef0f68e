#include "tests/support/test_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/blob/blob_store.h"
#include "common/model/shard_tree.h"

namespace heroq {
namespace {

void AddLinear(v1::PlannedUnit& unit, const std::string& name, int64_t width, const std::string& input) {
  v1::PlannedLinear& linear = *unit.add_linears();
  linear.set_name(absl::StrCat("model.layers.", unit.block(), ".", name));
  linear.set_out_features(16);
  linear.set_in_features(width);
  linear.set_input(input);
  linear.mutable_scheme()->set_weight_bits(4);
}

void AddHiddenStates(const std::string& task_id, int begin, int end, v1::TaskResult& result) {
  for (int shard = begin; shard < end; ++shard) {
    v1::NamedBlob& output = *result.add_outputs();
    output.set_name(absl::StrCat("hidden/", shard));
    *output.mutable_digest() =
        TestDigest(absl::StrCat(task_id.substr(0, task_id.rfind('/')), "/hidden/", shard));
  }
}

v1::TaskResult CaptureResult(const v1::Task& task, int shards) {
  const v1::CaptureTask& capture = task.capture();
  v1::TaskResult result;
  if (capture.emit_hidden_states())
    AddHiddenStates(task.id(), capture.shard_begin(), capture.shard_end(), result);
  for (const char* input : {"attention_in", "attention_out", "mlp_out"}) {
    for (const ShardRange& range : CanonicalNodes(capture.shard_begin(), capture.shard_end(), shards)) {
      v1::StatisticsNode& node = *result.add_statistics();
      node.set_input(input);
      node.set_shard_begin(static_cast<int32_t>(range.begin));
      node.set_shard_end(static_cast<int32_t>(range.end));
      *node.mutable_blob() = TestDigest(
          absl::StrCat("statistics/", capture.block(), "/", input, "/", range.begin, "-", range.end));
    }
  }
  return result;
}

}  // namespace

v1::Plan TestPlan(const TestPlanOptions& options) {
  v1::Plan plan;
  plan.set_block_count(options.blocks);
  plan.set_hidden_size(16);
  plan.set_compute_type("f32");
  plan.set_model_directory("/model");
  plan.mutable_calibration()->set_samples(options.samples);
  plan.mutable_calibration()->set_sequence_length(8);
  plan.mutable_calibration()->set_shards(options.shards);
  plan.mutable_calibration()->set_micro_batch(2);
  plan.mutable_calibration()->set_threads_per_task(1);
  plan.mutable_calibration()->set_seed(7);
  plan.mutable_calibration()->set_propagation(options.propagation);
  plan.mutable_method()->mutable_gptq();
  if (options.calibrated) *plan.mutable_calibration_tokens() = TestDigest("calibration tokens");
  if (options.evaluation_sequences > 0) {
    plan.mutable_evaluation()->set_sequences(options.evaluation_sequences);
    *plan.mutable_evaluation_tokens() = TestDigest("evaluation tokens");
  }
  for (int block = 0; options.quantized && block < options.blocks; ++block) {
    v1::PlannedFile& file = *plan.add_files();
    file.set_name(absl::StrCat("model-", block, ".safetensors"));
    for (const char* name : {"attention", "mlp"}) {
      v1::PlannedTensor& tensor = *file.add_tensors();
      tensor.set_unit(plan.units_size());
      v1::PlannedUnit& unit = *plan.add_units();
      unit.set_block(block);
      unit.set_unit(name);
    }
    v1::PlannedUnit& attention = *plan.mutable_units(plan.units_size() - 2);
    AddLinear(attention, "self_attn.q_proj", 16, "attention_in");
    AddLinear(attention, "self_attn.o_proj", 16, "attention_out");
    AddLinear(*plan.mutable_units(plan.units_size() - 1), "mlp.down_proj", 32, "mlp_out");
  }
  return plan;
}

v1::BlobDigest TestDigest(const std::string& content) {
  const Digest digest = DigestOf(content);
  v1::BlobDigest proto;
  proto.set_sha256(digest.sha256);
  proto.set_size_bytes(digest.size_bytes);
  return proto;
}

v1::TaskResult TestResult(const v1::Task& task, int shards) {
  v1::TaskResult result;
  switch (task.kind_case()) {
    case v1::Task::kCapture:
      return CaptureResult(task, shards);
    case v1::Task::kAdvance:
      AddHiddenStates(task.id(), task.advance().shard_begin(), task.advance().shard_end(), result);
      return result;
    case v1::Task::kQuantize: {
      v1::NamedBlob& output = *result.add_outputs();
      output.set_name("unit");
      *output.mutable_digest() = TestDigest(task.id());
      for (const v1::LinearTask& linear : task.quantize().linears())
        result.add_linears()->set_name(linear.name());
      return result;
    }
    case v1::Task::kEvaluate:
      result.mutable_evaluation()->set_token_count(task.evaluate().sequence_end() -
                                                   task.evaluate().sequence_begin());
      return result;
    case v1::Task::KIND_NOT_SET:
      return result;
  }
  return result;
}

v1::Update CreateUpdate(const std::string& job_id, int priority, const std::string& numeric_class) {
  v1::Update update;
  update.mutable_job_created()->set_job_id(job_id);
  update.mutable_job_created()->mutable_spec()->set_priority(priority);
  update.mutable_job_created()->mutable_spec()->set_numeric_class(numeric_class);
  return update;
}

v1::Update PlanUpdate(const std::string& job_id, const v1::Plan& plan) {
  v1::Update update;
  update.mutable_job_planned()->set_job_id(job_id);
  *update.mutable_job_planned()->mutable_plan() = plan;
  return update;
}

v1::Update LeaseUpdate(const CoordinatorState& state, const std::string& job_id,
                       const std::vector<std::string>& tasks) {
  const int64_t counter = state.last_fence_counter + 1;
  v1::Update update;
  v1::TaskLeased& lease = *update.mutable_task_leased();
  lease.set_job_id(job_id);
  lease.set_lease_id(absl::StrCat(state.epoch, ".", counter));
  lease.mutable_fence()->set_epoch(state.epoch);
  lease.mutable_fence()->set_counter(counter);
  lease.set_worker_id("w");
  lease.set_numeric_class("c");
  const std::shared_ptr<const JobRecord> job = state.FindJob(job_id);
  int attempts = 0;
  for (const std::string& task : tasks) {
    lease.add_task_ids(task);
    if (job == nullptr || job->graph == nullptr) continue;
    const std::optional<int> index = job->graph->Find(task);
    if (index.has_value()) attempts = std::max(attempts, job->tasks[*index].attempts);
  }
  lease.set_attempt(attempts + 1);
  return update;
}

v1::Update CompleteUpdate(const v1::TaskLeased& lease, const v1::TaskResult& result) {
  v1::Update update;
  v1::TaskCompleted& change = *update.mutable_task_completed();
  change.set_job_id(lease.job_id());
  change.set_lease_id(lease.lease_id());
  *change.mutable_fence() = lease.fence();
  *change.mutable_result() = result;
  return update;
}

v1::Update ReturnUpdate(const v1::TaskLeased& lease, v1::TaskReturned::Cause cause, v1::FailureKind kind) {
  v1::Update update;
  v1::TaskReturned& change = *update.mutable_task_returned();
  change.set_job_id(lease.job_id());
  change.set_lease_id(lease.lease_id());
  *change.mutable_fence() = lease.fence();
  change.set_cause(cause);
  change.set_failure_kind(kind);
  return update;
}

v1::Update PhaseUpdate(const std::string& job_id, v1::QuantizationJob::Phase phase,
                       const std::string& directory) {
  v1::Update update;
  update.mutable_job_phase_changed()->set_job_id(job_id);
  update.mutable_job_phase_changed()->set_phase(phase);
  update.mutable_job_phase_changed()->set_staging_directory(directory);
  return update;
}

v1::Update CancelUpdate(const std::string& job_id) {
  v1::Update update;
  update.mutable_job_cancel_requested()->set_job_id(job_id);
  return update;
}

v1::Update EndUpdate(const std::string& job_id, v1::QuantizationJob::State state) {
  v1::Update update;
  update.mutable_job_ended()->set_job_id(job_id);
  update.mutable_job_ended()->set_state(state);
  return update;
}

}  // namespace heroq
