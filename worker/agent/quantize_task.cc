#include "worker/agent/quantize_task.h"

#include <c10/core/ScalarType.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/checkpoint/weight_digest.h"
#include "common/file/process_memory.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/dense_weights.h"
#include "worker/agent/linear_reporter.h"
#include "worker/agent/method_proto.h"
#include "worker/agent/statistics_reader.h"
#include "worker/agent/stored_tensors.h"
#include "worker/agent/unit_blob_reader.h"
#include "worker/agent/unit_blob_writer.h"
#include "worker/agent/unit_work_loader.h"
#include "worker/device/torch_status.h"
#include "worker/loading/scalar_types.h"
#include "worker/methods/method_registry.h"

namespace heroq {
namespace {

absl::StatusOr<const BlockLayout*> FindBlock(const ModelLayout& layout, int64_t block) {
  if (block >= 0 && block < static_cast<int64_t>(layout.blocks.size())) {
    return &layout.blocks[static_cast<size_t>(block)];
  }
  return MakeError(Reason::kInternal,
                   absl::StrCat("quantize task: block ", block, ", the model has ", layout.blocks.size()));
}

absl::Status StrictFailure(const std::string& linear, const std::string& warning) {
  return MakeError(Reason::kNumericalFailure, absl::StrCat(linear, ": strict job: ", warning));
}

absl::Status CheckStrict(const UnitWork& work, const QuantizedUnit& unit) {
  for (size_t i = 0; i < unit.outcomes.size(); ++i) {
    if (unit.outcomes[i].warnings.empty()) continue;
    return StrictFailure(work.linears[i].name, unit.outcomes[i].warnings.front());
  }
  return absl::OkStatus();
}

// `stored` holds the linears of the unit in the block's order.
absl::StatusOr<const QuantizedLinear*> FindStored(const std::vector<QuantizedLinear>& stored,
                                                  const std::string& name) {
  const auto found = std::find_if(stored.begin(), stored.end(),
                                  [&](const QuantizedLinear& linear) { return linear.name == name; });
  if (found != stored.end()) return &*found;
  return MakeError(Reason::kInternal, absl::StrCat("quantize task: the unit just written lacks ", name));
}

v1::TransformReport ToReport(int32_t block, const TransformOutcome& outcome) {
  v1::TransformReport report;
  report.set_block(block);
  report.set_input(std::string(ToString(outcome.input)));
  report.set_alpha(outcome.alpha);
  for (const AlphaScore& scored : outcome.curve) {
    v1::AlphaScore& score = *report.add_curve();
    score.set_alpha(scored.alpha);
    score.set_loss(scored.loss);
    score.set_rows(scored.rows);
  }
  report.set_rotation(outcome.rotation);
  report.set_rotation_size(outcome.rotation_size);
  report.set_loss(outcome.loss);
  report.set_untransformed_loss(outcome.untransformed_loss);
  if (outcome.hadamard_loss.has_value()) report.set_hadamard_loss(*outcome.hadamard_loss);
  report.set_rotation_steps(outcome.rotation_steps);
  report.set_rotation_note(outcome.rotation_note);
  return report;
}

absl::Status StoreUnit(const std::string& bytes, BlobStore& blobs, v1::TaskResult& result) {
  HEROQ_ASSIGN_OR_RETURN(const Digest digest, blobs.Put(bytes, Durability::kDurable));
  v1::NamedBlob& output = *result.add_outputs();
  output.set_name("unit");
  *output.mutable_digest() = DigestToProto(digest);
  return absl::OkStatus();
}

// A unit outside the blocks holds nothing but tensors that `source` has rewritten.
absl::StatusOr<v1::TaskResult> RunOutsideBlocks(const v1::QuantizeTask& task,
                                                const TaskEnvironment& environment,
                                                const WeightSource& source) {
  // Embeddings and heads are far larger than anything in a block.
  ReturnFreedMemory(0);
  UnitBlob unit;
  for (const v1::RewrittenTensor& planned : task.tensors()) {
    HEROQ_RETURN_IF_ERROR(environment.cancellation.Check());
    const std::optional<DType> dtype = ParseDType(planned.dtype());
    const std::optional<c10::ScalarType> type = dtype ? FloatTypeOf(*dtype) : std::nullopt;
    HEROQ_ASSIGN_OR_RETURN(const at::Tensor tensor, source.Load(planned.name(), type.value_or(c10::kFloat)));
    HEROQ_ASSIGN_OR_RETURN(StoredTensor stored, StoreTensor(planned, tensor));
    unit.tensors.push_back(std::move(stored));
  }
  HEROQ_ASSIGN_OR_RETURN(const std::string bytes, WriteUnitBlob(unit));
  v1::TaskResult result;
  HEROQ_RETURN_IF_ERROR(StoreUnit(bytes, environment.blobs, result));
  return result;
}

absl::StatusOr<v1::TaskResult> RunInBlock(const v1::QuantizeTask& task, const v1::JobContext& context,
                                          const TaskEnvironment& environment, const WeightSource& source) {
  HEROQ_ASSIGN_OR_RETURN(const BlockLayout* block, FindBlock(source.layout(), task.block()));
  HEROQ_ASSIGN_OR_RETURN(const MethodOptions options, MethodOptionsOf(context.method(), context.seed()));
  HEROQ_ASSIGN_OR_RETURN(UnitWork work, LoadUnitWork(task, *block, source));
  HEROQ_ASSIGN_OR_RETURN(work.statistics,
                         ReadStatistics(environment.blobs, task.statistics(), context.shards()));
  HEROQ_ASSIGN_OR_RETURN(QuantizedUnit quantized,
                         MakeMethod(options)->Quantize(work, environment.cancellation, environment.progress));
  if (quantized.transformed.has_value()) {
    work = *std::move(quantized.transformed);
    // They are of the model's weights.
    for (auto& [input, statistics] : work.statistics) statistics.output_energies.clear();
  }
  if (context.strict()) HEROQ_RETURN_IF_ERROR(CheckStrict(work, quantized));

  const bool dense = PublishesDense(task);
  HEROQ_ASSIGN_OR_RETURN(const DenseWeights weights,
                         dense ? DenseWeightsOf(work, quantized) : DenseWeights());
  HEROQ_ASSIGN_OR_RETURN(std::vector<StoredTensor> tensors, RewrittenTensors(task, *block, work, weights));
  if (dense) quantized.linears.clear();
  HEROQ_ASSIGN_OR_RETURN(const std::string bytes,
                         WriteUnitBlob({std::move(quantized.linears), std::move(tensors)}));
  HEROQ_ASSIGN_OR_RETURN(const UnitBlob stored,
                         ReadUnitBlob(bytes, *block, absl::StrCat("unit ", block->prefix, task.unit())));
  v1::TaskResult result;
  LinearReporter reporter(work, context.method().has_hero_q(), environment.cancellation);
  for (size_t i = 0; i < work.linears.size(); ++i) {
    HEROQ_RETURN_IF_ERROR(environment.cancellation.Check());
    v1::LinearReport& report = *result.add_linears();
    const LinearWork& linear = work.linears[i];
    if (dense) {
      HEROQ_ASSIGN_OR_RETURN(std::vector<float> values, StoredDenseWeight(stored, linear.name));
      // They were counted of codes, whose values are rounded once more.
      quantized.outcomes[i].row_losses.clear();
      HEROQ_ASSIGN_OR_RETURN(report, reporter.Report(linear, std::move(values), quantized.outcomes[i]));
    } else {
      HEROQ_ASSIGN_OR_RETURN(const QuantizedLinear* codes, FindStored(stored.linears, linear.name));
      HEROQ_ASSIGN_OR_RETURN(report, reporter.Report(linear, Dequantize(*codes), quantized.outcomes[i]));
      report.set_weight_digest(WeightDigest(*codes));
    }
    if (context.strict() && report.warnings_size() > 0) return StrictFailure(linear.name, report.warnings(0));
    report.set_transformed(task.tensors_size() > 0);
    *report.mutable_scheme() = task.linears(static_cast<int>(i)).scheme();
  }
  for (const TransformOutcome& outcome : quantized.transforms) {
    *result.add_transforms() = ToReport(task.block(), outcome);
  }
  HEROQ_RETURN_IF_ERROR(StoreUnit(bytes, environment.blobs, result));
  return result;
}

}  // namespace

absl::StatusOr<v1::TaskResult> RunQuantizeTask(const v1::QuantizeTask& task, const v1::JobContext& context,
                                               const TaskEnvironment& environment,
                                               const WeightSource& source) {
  return CatchTorch(absl::StrCat("quantize block ", task.block(), ", unit ", task.unit()), [&] {
    return task.block() < 0 ? RunOutsideBlocks(task, environment, source)
                            : RunInBlock(task, context, environment, source);
  });
}

}  // namespace heroq
