#include "tests/support/driver_harness.h"

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/half.h"
#include "common/quant/packing.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/validation/manifest.h"
#include "tests/support/nearest_rounding.h"

namespace heroq {
namespace {

constexpr char kClass[] = "test cpu";

void OrDie(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  abort();
}

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  OrDie(value.status());
  return *std::move(value);
}

template <typename T>
absl::string_view BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::vector<float> DenseWeight(const CheckpointReader& reader, const std::string& name) {
  const std::string bytes = OrDie(reader.ReadBytes(name));
  std::vector<float> weight(bytes.size() / 2);
  for (size_t i = 0; i < weight.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, &bytes[2 * i], 2);
    weight[i] = Bf16ToFloat(bits);
  }
  return weight;
}

}  // namespace

std::map<std::string, std::string> PublishedBytes(FileSystem& files, const std::string& directory) {
  std::map<std::string, std::string> bytes;
  const absl::StatusOr<std::string> json = ReadFile(files, JoinPath(directory, kManifestName));
  if (!json.ok()) return bytes;
  bytes[kManifestName] = *json;
  const Manifest manifest = OrDie(ParseManifest(*json, kManifestName));
  for (const ManifestFile& file : manifest.files) {
    bytes[file.name] = OrDie(ReadFile(files, JoinPath(directory, file.name)));
  }
  return bytes;
}

DriverHarness::DriverHarness(FileSystem& files, const std::string& state_directory) : files_(files) {
  OrDie(files.CreateDirectories(state_directory));
  blobs_ = OrDie(DirectoryBlobStore::Open(files, JoinPath(state_directory, "blobs")));
  planner_ = std::make_unique<Planner>(files, *blobs_, Roots{{"local", "/"}});
  Restart();
}

void DriverHarness::Restart() {
  driver_.reset();
  store_.reset();
  store_ = OrDie(CoordinatorStore::Open(std::make_unique<MemoryJournal>(log_), clock_));
  driver_ = std::make_unique<JobDriver>(*store_, *planner_, files_, *blobs_, clock_, options);
}

void DriverHarness::Commit(v1::Update update) { OrDie(store_->CommitAndWait(std::move(update))); }

void DriverHarness::CreateJob(const std::string& job_id, const v1::JobSpec& spec) {
  v1::Update update;
  update.mutable_job_created()->set_job_id(job_id);
  *update.mutable_job_created()->mutable_spec() = spec;
  Commit(std::move(update));
}

void DriverHarness::Cancel(const std::string& job_id) {
  v1::Update update;
  update.mutable_job_cancel_requested()->set_job_id(job_id);
  Commit(std::move(update));
}

bool DriverHarness::CompleteOneTask(const std::string& job_id) {
  const std::shared_ptr<const CoordinatorState> state = store_->Snapshot();
  const std::shared_ptr<const JobRecord> job = state->FindJob(job_id);
  if (job == nullptr || job->graph == nullptr) return false;
  for (size_t i = 0; i < job->tasks.size(); ++i) {
    if (!job->Ready(static_cast<int>(i))) continue;
    const TaskNode& node = job->graph->nodes()[i];
    v1::Update leased;
    v1::TaskLeased& lease = *leased.mutable_task_leased();
    lease.set_job_id(job_id);
    lease.set_lease_id(absl::StrCat(node.id, "#", state->last_fence_counter + 1));
    lease.add_task_ids(node.id);
    lease.set_attempt(job->tasks[i].attempts + 1);
    lease.mutable_fence()->set_epoch(state->epoch);
    lease.mutable_fence()->set_counter(state->last_fence_counter + 1);
    lease.set_worker_id("worker-1");
    lease.set_numeric_class(kClass);
    v1::Update completed;
    v1::TaskCompleted& complete = *completed.mutable_task_completed();
    complete.set_job_id(job_id);
    complete.set_lease_id(lease.lease_id());
    *complete.mutable_fence() = lease.fence();
    *complete.mutable_result() = Execute(*job, node);
    Commit(std::move(leased));
    Commit(std::move(completed));
    return true;
  }
  return false;
}

void DriverHarness::RunToEnd(const std::string& job_id) {
  do {
    driver_->RunUntilIdle();
  } while (CompleteOneTask(job_id));
}

v1::BlobDigest DriverHarness::Put(absl::string_view bytes, Durability durability) {
  return DigestToProto(OrDie(blobs_->Put(bytes, durability)));
}

v1::TaskResult DriverHarness::Execute(const JobRecord& job, const TaskNode& node) {
  v1::TaskResult result;
  const auto output = [&](const std::string& name) {
    v1::NamedBlob& blob = *result.add_outputs();
    blob.set_name(name);
    *blob.mutable_digest() = Put(absl::StrCat(job.job_id, " ", node.id, " ", name), Durability::kVolatile);
  };
  switch (node.kind) {
    case TaskKind::kCapture:
      for (const char* input : {"attention_in", "attention_out", "mlp_in", "mlp_out"}) {
        v1::StatisticsNode& statistics = *result.add_statistics();
        statistics.set_input(input);
        statistics.set_shard_begin(node.shard);
        statistics.set_shard_end(node.shard + 1);
        *statistics.mutable_blob() =
            Put(absl::StrCat(job.job_id, " ", node.id, " ", input), Durability::kVolatile);
      }
      output(absl::StrCat("hidden/", node.shard));
      break;
    case TaskKind::kAdvance:
      output(absl::StrCat("hidden/", node.shard));
      break;
    case TaskKind::kQuantize:
      result = Quantize(job, job.plan->units(node.unit));
      break;
    case TaskKind::kEvaluate:
      result.mutable_evaluation()->set_token_count(100);
      result.mutable_evaluation()->set_original_nll_sum(100 * original_nll);
      result.mutable_evaluation()->set_quantized_nll_sum(100 * quantized_nll);
      result.mutable_evaluation()->set_kl_sum(100 * kl);
      break;
  }
  return result;
}

v1::TaskResult DriverHarness::Quantize(const JobRecord& job, const v1::PlannedUnit& unit) {
  const std::unique_ptr<CheckpointReader> source =
      OrDie(CheckpointReader::Open(files_, job.plan->model_directory()));
  v1::TaskResult result;
  std::vector<NearestRounding> results;
  std::vector<NamedBytes> tensors;
  results.reserve(unit.linears_size());
  for (const v1::PlannedLinear& planned : unit.linears()) {
    results.push_back(
        RoundToNearest(planned.name(), DenseWeight(*source, absl::StrCat(planned.name(), ".weight")),
                       planned.out_features(), planned.in_features(), ToQuantScheme(planned.scheme())));
    const QuantizedLinear& linear = results.back().linear;
    rounded[planned.name()] = results.back().rounded;
    const int64_t out = linear.out_features;
    const int64_t words = PackedWords(linear.in_features, linear.scheme.weight_bits);
    tensors.push_back(
        {{absl::StrCat(linear.name, ".codes"), DType::kI32, {out, words}}, BytesOf(linear.packed_codes)});
    tensors.push_back({{absl::StrCat(linear.name, ".scale"), DType::kBf16, {out, linear.groups()}},
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
    report.set_weight_error(results.back().squared_error / results.back().energy + report_offset);
    report.set_relative_error(report.weight_error());
  }
  v1::NamedBlob& blob = *result.add_outputs();
  blob.set_name("unit");
  *blob.mutable_digest() = Put(OrDie(SerializeSafetensors(tensors)), Durability::kDurable);
  return result;
}

}  // namespace heroq
