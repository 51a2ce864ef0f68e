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
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/linear_reporter.h"
#include "worker/agent/method_proto.h"
#include "worker/agent/statistics_reader.h"
#include "worker/agent/unit_blob_reader.h"
#include "worker/agent/unit_blob_writer.h"
#include "worker/device/torch_status.h"
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

absl::StatusOr<LinearWork> LoadLinear(const v1::LinearTask& task, const BlockLayout& block,
                                      const WeightSource& source) {
  const auto layout = std::find_if(block.linears.begin(), block.linears.end(),
                                   [&](const LinearLayout& other) { return other.name == task.name(); });
  const std::optional<LinearInput> input = ParseLinearInput(task.input());
  if (layout == block.linears.end() || input != layout->input) {
    return MakeError(Reason::kInternal, absl::StrCat("quantize task: block ", block.prefix, " has no linear ",
                                                     task.name(), " that reads ", task.input()));
  }
  LinearWork work;
  work.name = task.name();
  work.input = *input;
  work.scheme = QuantSchemeOf(task.scheme());
  HEROQ_RETURN_IF_ERROR(ValidateScheme(work.scheme, layout->in_features, work.name));
  HEROQ_ASSIGN_OR_RETURN(work.weight, source.Load(work.name + ".weight", c10::kFloat));
  return work;
}

absl::Status CheckStrict(const UnitWork& work, const QuantizedUnit& unit) {
  for (size_t i = 0; i < unit.outcomes.size(); ++i) {
    if (unit.outcomes[i].warnings.empty()) continue;
    return MakeError(Reason::kNumericalFailure,
                     absl::StrCat(work.linears[i].name, ": strict job: ", unit.outcomes[i].warnings.front()));
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

absl::StatusOr<v1::TaskResult> Run(const v1::QuantizeTask& task, const v1::JobContext& context,
                                   const TaskEnvironment& environment, const WeightSource& source) {
  HEROQ_ASSIGN_OR_RETURN(const BlockLayout* block, FindBlock(source.layout(), task.block()));
  HEROQ_ASSIGN_OR_RETURN(const MethodOptions options, MethodOptionsOf(context.method()));
  UnitWork work;
  for (const v1::LinearTask& linear : task.linears()) {
    HEROQ_ASSIGN_OR_RETURN(LinearWork loaded, LoadLinear(linear, *block, source));
    work.linears.push_back(std::move(loaded));
  }
  HEROQ_ASSIGN_OR_RETURN(work.statistics,
                         ReadStatistics(environment.blobs, task.statistics(), context.shards()));
  HEROQ_ASSIGN_OR_RETURN(const QuantizedUnit unit,
                         MakeMethod(options)->Quantize(work, environment.cancellation, environment.progress));
  if (context.strict()) HEROQ_RETURN_IF_ERROR(CheckStrict(work, unit));

  HEROQ_ASSIGN_OR_RETURN(const std::string bytes, WriteUnitBlob(unit.linears));
  HEROQ_ASSIGN_OR_RETURN(const std::vector<QuantizedLinear> stored,
                         ReadUnitBlob(bytes, *block, absl::StrCat("unit ", block->prefix, task.unit())));
  v1::TaskResult result;
  LinearReporter reporter(work);
  for (size_t i = 0; i < work.linears.size(); ++i) {
    HEROQ_RETURN_IF_ERROR(environment.cancellation.Check());
    HEROQ_ASSIGN_OR_RETURN(const QuantizedLinear* linear, FindStored(stored, work.linears[i].name));
    *result.add_linears() = reporter.Report(work.linears[i], *linear, unit.outcomes[i]);
    *result.mutable_linears(static_cast<int>(i))->mutable_scheme() =
        task.linears(static_cast<int>(i)).scheme();
  }
  HEROQ_ASSIGN_OR_RETURN(const Digest digest, environment.blobs.Put(bytes, Durability::kDurable));
  v1::NamedBlob& output = *result.add_outputs();
  output.set_name("unit");
  *output.mutable_digest() = DigestToProto(digest);
  return result;
}

}  // namespace

absl::StatusOr<v1::TaskResult> RunQuantizeTask(const v1::QuantizeTask& task, const v1::JobContext& context,
                                               const TaskEnvironment& environment,
                                               const WeightSource& source) {
  return CatchTorch(absl::StrCat("quantize block ", task.block(), ", unit ", task.unit()),
                    [&] { return Run(task, context, environment, source); });
}

}  // namespace heroq
