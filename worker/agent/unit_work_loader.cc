#include "worker/agent/unit_work_loader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/dtype.h"
#include "common/model/adapter_names.h"
#include "common/model/online_rotation.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/method_proto.h"
#include "worker/agent/stored_tensors.h"
#include "worker/loading/scalar_types.h"
#include "worker/loading/stored_rotation.h"

namespace heroq {
namespace {

std::string WeightName(const std::string& linear) { return absl::StrCat(linear, ".weight"); }
std::string BiasName(const std::string& linear) { return absl::StrCat(linear, ".bias"); }

absl::Status NoSuch(const BlockLayout& block, absl::string_view what) {
  return MakeError(Reason::kInternal, absl::StrCat("quantize task: block ", block.prefix, " has no ", what));
}

bool Rewrites(const v1::QuantizeTask& task, const std::string& name) {
  return std::any_of(task.tensors().begin(), task.tensors().end(),
                     [&](const v1::RewrittenTensor& tensor) { return tensor.name() == name; });
}

absl::StatusOr<DenseLinear> LoadLinear(const v1::QuantizeTask& task, const LinearLayout& layout,
                                       const WeightSource& source) {
  DenseLinear linear{layout.name, layout.input, {}, layout.role, {}};
  HEROQ_ASSIGN_OR_RETURN(linear.weight, source.Load(WeightName(layout.name), c10::kFloat));
  if (layout.has_bias && Rewrites(task, BiasName(layout.name))) {
    HEROQ_ASSIGN_OR_RETURN(linear.bias, source.Load(BiasName(layout.name), c10::kFloat));
  }
  return linear;
}

absl::StatusOr<LinearWork> LoadQuantized(const v1::QuantizeTask& task, const v1::LinearTask& asked,
                                         const BlockLayout& block, const WeightSource& source) {
  const auto layout = std::find_if(block.linears.begin(), block.linears.end(),
                                   [&](const LinearLayout& other) { return other.name == asked.name(); });
  const std::optional<LinearInput> input = ParseLinearInput(asked.input());
  if (layout == block.linears.end() || input != layout->input) {
    return NoSuch(block, absl::StrCat("linear ", asked.name(), " that reads ", asked.input()));
  }
  LinearWork work;
  work.scheme = QuantSchemeOf(asked.scheme());
  HEROQ_RETURN_IF_ERROR(ValidateScheme(work.scheme, layout->in_features, layout->name));
  HEROQ_ASSIGN_OR_RETURN(static_cast<DenseLinear&>(work), LoadLinear(task, *layout, source));
  return work;
}

// Branches are split off in the type they are stored in.
absl::Status SetBranchType(const v1::QuantizeTask& task, const BlockLayout& block, UnitWork& work) {
  const std::string name = AdapterUpName(work.linears.front().name);
  const auto planned = std::find_if(task.tensors().begin(), task.tensors().end(),
                                    [&](const v1::RewrittenTensor& tensor) { return tensor.name() == name; });
  if (planned == task.tensors().end()) return absl::OkStatus();
  const std::optional<DType> dtype = ParseDType(planned->dtype());
  const std::optional<c10::ScalarType> type = dtype ? FloatTypeOf(*dtype) : std::nullopt;
  if (!type) return NoSuch(block, absl::StrCat("branch ", name, " of type ", planned->dtype()));
  work.stored_type = *type;
  return absl::OkStatus();
}

// The tensor `name` of the unit; undefined when it is none.
at::Tensor FindTensor(const BlockLayout& block, const UnitWork& work, const std::string& name) {
  if (std::any_of(block.norms.begin(), block.norms.end(),
                  [&](const TensorLayout& norm) { return norm.name == name; })) {
    return work.gain;
  }
  for (const auto& [input, rotation] : work.rotations) {
    if (OnlineTensor(block, input) == name) return StoredRotation(rotation);
  }
  for (const LinearWork& linear : work.linears) {
    if (BiasName(linear.name) == name) return linear.bias;
    if (AdapterDownName(linear.name) == name) return linear.branch.down;
    if (AdapterUpName(linear.name) == name) return linear.branch.up;
  }
  for (const DenseLinear& linear : work.kept) {
    if (WeightName(linear.name) == name) return linear.weight;
    if (BiasName(linear.name) == name) return linear.bias;
  }
  return {};
}

}  // namespace

absl::StatusOr<UnitWork> LoadUnitWork(const v1::QuantizeTask& task, const BlockLayout& block,
                                      const WeightSource& source) {
  UnitWork work;
  work.geometry = {source.layout().head_count, source.layout().kv_head_count};
  for (const v1::LinearTask& linear : task.linears()) {
    HEROQ_ASSIGN_OR_RETURN(LinearWork loaded, LoadQuantized(task, linear, block, source));
    work.linears.push_back(std::move(loaded));
  }
  for (const LinearLayout& linear : block.linears) {
    const bool quantized =
        std::any_of(task.linears().begin(), task.linears().end(),
                    [&](const v1::LinearTask& other) { return other.name() == linear.name; });
    if (quantized || !Rewrites(task, WeightName(linear.name))) continue;
    HEROQ_ASSIGN_OR_RETURN(DenseLinear kept, LoadLinear(task, linear, source));
    work.kept.push_back(std::move(kept));
  }
  if (!work.linears.empty()) {
    HEROQ_RETURN_IF_ERROR(SetBranchType(task, block, work));
  }
  for (const TensorLayout& norm : block.norms) {
    const auto planned =
        std::find_if(task.tensors().begin(), task.tensors().end(),
                     [&](const v1::RewrittenTensor& tensor) { return tensor.name() == norm.name; });
    if (planned == task.tensors().end()) continue;
    const std::optional<DType> dtype = ParseDType(planned->dtype());
    const std::optional<c10::ScalarType> type = dtype ? FloatTypeOf(*dtype) : std::nullopt;
    if (!type) return NoSuch(block, absl::StrCat("gain ", norm.name, " of type ", planned->dtype()));
    work.stored_type = *type;
    HEROQ_ASSIGN_OR_RETURN(work.gain, source.Load(norm.name, c10::kFloat));
  }
  return work;
}

absl::StatusOr<std::vector<StoredTensor>> RewrittenTensors(const v1::QuantizeTask& task,
                                                           const BlockLayout& block, const UnitWork& work,
                                                           const DenseWeights& dense) {
  std::vector<StoredTensor> tensors;
  for (const v1::RewrittenTensor& planned : task.tensors()) {
    const auto weight = dense.find(planned.name());
    const at::Tensor tensor =
        weight != dense.end() ? weight->second : FindTensor(block, work, planned.name());
    if (!tensor.defined()) return NoSuch(block, absl::StrCat("tensor ", planned.name(), " in this unit"));
    HEROQ_ASSIGN_OR_RETURN(StoredTensor stored, StoreTensor(planned, tensor));
    tensors.push_back(std::move(stored));
  }
  return tensors;
}

}  // namespace heroq
