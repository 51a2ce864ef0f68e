#include "worker/methods/unit_folding.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

DenseLinear* FindRole(UnitWork& work, LinearRole role) {
  for (LinearWork& linear : work.linears) {
    if (linear.role == role) return &linear;
  }
  for (DenseLinear& linear : work.kept) {
    if (linear.role == role) return &linear;
  }
  return nullptr;
}

absl::Status Impossible(LinearInput input, absl::string_view rule) {
  return MakeError(Reason::kInternal, absl::StrCat("transform of ", ToString(input), ": ", rule));
}

absl::Status FoldIntoGain(LinearInput input, InputTransform& transform, UnitWork& work) {
  if (transform.rotation.defined()) return Impossible(input, "a rotation does not pass a norm");
  if (!work.gain.defined()) return Impossible(input, "the unit has no norm");
  const at::Tensor gain = work.gain;
  const at::Tensor scale = transform.scale.to(gain.device(), gain.scalar_type());
  const at::Tensor stored = (gain / scale).to(work.stored_type).to(gain.scalar_type());
  // A channel whose gain is zero stays as it is; so does one whose new gain the stored type cannot hold.
  const at::Tensor usable = at::isfinite(stored).logical_and(stored != 0);
  transform.scale = at::where(usable, gain / stored, at::ones_like(gain));
  work.gain = at::where(usable, stored, gain);
  return absl::OkStatus();
}

// The same transform as the channels of one value head per group see it.
InputTransform ValueSide(const InputTransform& transform, const HeadGeometry& geometry) {
  const int64_t group = geometry.heads / geometry.value_heads;
  InputTransform value;
  if (transform.scale.defined()) {
    value.scale = transform.scale.view({geometry.value_heads, group, -1}).select(1, 0).reshape({-1});
  }
  value.rotation = transform.rotation;
  const size_t blocks_per_head = transform.rotation_of_block.size() / static_cast<size_t>(geometry.heads);
  for (size_t block = 0; block < transform.rotation_of_block.size(); ++block) {
    if ((block / blocks_per_head) % static_cast<size_t>(group) == 0)
      value.rotation_of_block.push_back(transform.rotation_of_block[block]);
  }
  return value;
}

// values [..., in] D^-1 R.
at::Tensor ScaledAndRotated(const at::Tensor& values, const InputTransform& transform) {
  const at::Tensor scaled =
      transform.scale.defined() ? values / transform.scale.to(values.device(), values.scalar_type()) : values;
  return Rotate(scaled, transform);
}

// z = x W^T + b becomes z D^-1 R.
void TransformOutputs(const InputTransform& transform, DenseLinear& linear) {
  const auto change = [&](const at::Tensor& values) { return ScaledAndRotated(values, transform); };
  linear.weight = change(linear.weight.t()).t().contiguous();
  if (linear.bias.defined()) linear.bias = change(linear.bias);
}

absl::Status FoldIntoProducer(LinearInput input, InputTransform& transform, UnitWork& work) {
  if (input == LinearInput::kMlpOut) {
    DenseLinear* up = FindRole(work, LinearRole::kUp);
    if (up == nullptr) return Impossible(input, "the unit has no up projection");
    if (transform.rotation.defined()) return Impossible(input, "a rotation does not pass the activation");
    TransformOutputs(transform, *up);
    return absl::OkStatus();
  }
  DenseLinear* value = FindRole(work, LinearRole::kValue);
  if (value == nullptr) return Impossible(input, "the unit has no value projection");
  TransformOutputs(ValueSide(transform, work.geometry), *value);
  return absl::OkStatus();
}

void TransformStatistics(const InputTransform& transform, LayerStatistics& statistics) {
  statistics.second_moment = TransformMoments(statistics.second_moment, transform);
  if (statistics.kept == nullptr) return;
  const at::Tensor& rows = statistics.kept->rows();
  statistics.kept = std::make_shared<const KeptActivations>(
      ScaledAndRotated(rows.to(at::kFloat), transform).to(rows.scalar_type()));
}

}  // namespace

std::vector<DenseLinear*> ReadersOf(UnitWork& work, LinearInput input) {
  std::vector<DenseLinear*> readers;
  for (LinearWork& linear : work.linears) {
    if (linear.input == input) readers.push_back(&linear);
  }
  for (DenseLinear& linear : work.kept) {
    if (linear.input == input) readers.push_back(&linear);
  }
  return readers;
}

void TransformReaders(LinearInput input, const InputTransform& transform, UnitWork& work) {
  for (DenseLinear* reader : ReadersOf(work, input)) {
    reader->weight = TransformWeight(reader->weight, transform);
  }
  const auto found = work.statistics.find(input);
  if (found != work.statistics.end()) TransformStatistics(transform, found->second);
}

absl::Status FoldTransform(LinearInput input, InputTransform transform, UnitWork& work) {
  if (transform.is_identity()) return absl::OkStatus();
  const bool after_norm = input == LinearInput::kAttentionIn || input == LinearInput::kMlpIn;
  HEROQ_RETURN_IF_ERROR(after_norm ? FoldIntoGain(input, transform, work)
                                   : FoldIntoProducer(input, transform, work));
  TransformReaders(input, transform, work);
  return absl::OkStatus();
}

}  // namespace heroq
