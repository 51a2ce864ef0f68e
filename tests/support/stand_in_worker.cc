#include "tests/support/stand_in_worker.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/checkpoint/weight_digest.h"
#include "common/quant/half.h"
#include "common/quant/packing.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/scheme_text.h"
#include "tests/support/nearest_rounding.h"

namespace heroq {
namespace {

constexpr char kClass[] = "test cpu";

template <typename T>
absl::string_view BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

absl::StatusOr<std::vector<float>> DenseWeight(const CheckpointReader& reader, const std::string& name) {
  HEROQ_ASSIGN_OR_RETURN(const std::string bytes, reader.ReadBytes(name));
  std::vector<float> weight(bytes.size() / 2);
  for (size_t i = 0; i < weight.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, &bytes[2 * i], 2);
    weight[i] = Bf16ToFloat(bits);
  }
  return weight;
}

}  // namespace

absl::StatusOr<std::optional<StandInWorker::Updates>> StandInWorker::RunReadyTask(
    const CoordinatorState& state, const JobRecord& job) {
  if (job.graph == nullptr) return std::optional<Updates>();
  for (size_t i = 0; i < job.tasks.size(); ++i) {
    if (!job.Ready(static_cast<int>(i))) continue;
    const TaskNode& node = job.graph->nodes()[i];
    Updates updates;
    v1::TaskLeased& lease = *updates.leased.mutable_task_leased();
    lease.set_job_id(job.job_id);
    lease.set_lease_id(absl::StrCat(node.id, "#", state.last_fence_counter + 1));
    lease.add_task_ids(node.id);
    lease.set_attempt(job.tasks[i].attempts + 1);
    lease.mutable_fence()->set_epoch(state.epoch);
    lease.mutable_fence()->set_counter(state.last_fence_counter + 1);
    lease.set_worker_id("worker-1");
    lease.set_numeric_class(kClass);
    v1::TaskCompleted& complete = *updates.completed.mutable_task_completed();
    complete.set_job_id(job.job_id);
    complete.set_lease_id(lease.lease_id());
    *complete.mutable_fence() = lease.fence();
    HEROQ_ASSIGN_OR_RETURN(*complete.mutable_result(), Execute(job, node));
    return std::optional<Updates>(std::move(updates));
  }
  return std::optional<Updates>();
}

absl::StatusOr<v1::BlobDigest> StandInWorker::Put(absl::string_view bytes, Durability durability) {
  HEROQ_ASSIGN_OR_RETURN(const Digest digest, blobs_.Put(bytes, durability));
  return DigestToProto(digest);
}

absl::StatusOr<v1::TaskResult> StandInWorker::Execute(const JobRecord& job, const TaskNode& node) {
  v1::TaskResult result;
  const auto put_output = [&](const std::string& name) -> absl::Status {
    v1::NamedBlob& blob = *result.add_outputs();
    blob.set_name(name);
    HEROQ_ASSIGN_OR_RETURN(*blob.mutable_digest(),
                           Put(absl::StrCat(job.job_id, " ", node.id, " ", name), Durability::kVolatile));
    return absl::OkStatus();
  };
  switch (node.kind) {
    case TaskKind::kCapture:
      for (const char* input : {"attention_in", "attention_out", "mlp_in", "mlp_out"}) {
        v1::StatisticsNode& statistics = *result.add_statistics();
        statistics.set_input(input);
        statistics.set_shard_begin(node.shard);
        statistics.set_shard_end(node.shard + 1);
        HEROQ_ASSIGN_OR_RETURN(
            *statistics.mutable_blob(),
            Put(absl::StrCat(job.job_id, " ", node.id, " ", input), Durability::kVolatile));
      }
      HEROQ_RETURN_IF_ERROR(put_output(absl::StrCat("hidden/", node.shard)));
      break;
    case TaskKind::kAdvance:
      HEROQ_RETURN_IF_ERROR(put_output(absl::StrCat("hidden/", node.shard)));
      break;
    case TaskKind::kQuantize:
      return Quantize(job, job.plan->units(node.unit));
    case TaskKind::kEvaluate:
      result.mutable_evaluation()->set_token_count(100);
      result.mutable_evaluation()->set_original_nll_sum(100 * original_nll);
      result.mutable_evaluation()->set_quantized_nll_sum(100 * quantized_nll);
      result.mutable_evaluation()->set_kl_sum(100 * kl);
      break;
  }
  return result;
}

absl::StatusOr<v1::TaskResult> StandInWorker::Quantize(const JobRecord& job, const v1::PlannedUnit& unit) {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointReader> source,
                         CheckpointReader::Open(files_, job.plan->model_directory()));
  v1::TaskResult result;
  std::vector<NearestRounding> results;
  std::vector<NamedBytes> tensors;
  results.reserve(unit.linears_size());
  for (const v1::PlannedLinear& planned : unit.linears()) {
    HEROQ_ASSIGN_OR_RETURN(const std::vector<float> weight,
                           DenseWeight(*source, absl::StrCat(planned.name(), ".weight")));
    results.push_back(RoundToNearest(planned.name(), weight, planned.out_features(), planned.in_features(),
                                     ToQuantScheme(planned.scheme())));
    const QuantizedLinear& linear = results.back().linear;
    rounded[planned.name()] = results.back().rounded;
    const int64_t out = linear.out_features;
    const int64_t words = PackedWords(linear.in_features, linear.scheme.weight_bits);
    tensors.push_back(
        {{absl::StrCat(linear.name, ".codes"), DType::kI32, {out, words}}, BytesOf(linear.packed_codes)});
    const bool bf16 = linear.scheme.scale_type == ScaleType::kBf16;
    tensors.push_back(
        {{absl::StrCat(linear.name, ".scale"), bf16 ? DType::kBf16 : DType::kF16, {out, linear.groups()}},
         BytesOf(linear.scales)});
    if (!linear.scheme.symmetric) {
      tensors.push_back({{absl::StrCat(linear.name, ".zero_point"), DType::kU8, {out, linear.groups()}},
                         BytesOf(linear.zero_points)});
    }
    v1::LinearReport& report = *result.add_linears();
    report.set_name(planned.name());
    report.set_out_features(planned.out_features());
    report.set_in_features(planned.in_features());
    *report.mutable_scheme() = planned.scheme();
    report.set_weight_error(results.back().squared_error / results.back().energy);
    report.set_relative_error(report.weight_error());
    report.set_weight_digest(states_other_weights ? WeightDigest({}, {}, {}) : WeightDigest(linear));
  }
  v1::NamedBlob& blob = *result.add_outputs();
  blob.set_name("unit");
  HEROQ_ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(tensors));
  HEROQ_ASSIGN_OR_RETURN(*blob.mutable_digest(), Put(bytes, Durability::kDurable));
  return result;
}

}  // namespace heroq
