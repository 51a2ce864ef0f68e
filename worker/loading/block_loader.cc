#include "worker/loading/block_loader.h"

#include <array>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/online_rotation.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/loading/stored_rotation.h"

namespace heroq {

absl::StatusOr<DecoderBlock> LoadBlock(const WeightSource& source, int64_t block, c10::ScalarType dtype,
                                       const std::map<std::string, at::Tensor>& replaced) {
  const BlockLayout& layout = source.layout().blocks[static_cast<size_t>(block)];
  const auto load = [&](const std::string& name) -> absl::StatusOr<at::Tensor> {
    const auto other = replaced.find(name);
    return other != replaced.end() ? other->second : source.Load(name, dtype);
  };
  BlockWeights weights;
  HEROQ_ASSIGN_OR_RETURN(weights.attention_norm, load(layout.NormOf(UnitKind::kAttention).name));
  HEROQ_ASSIGN_OR_RETURN(weights.mlp_norm, load(layout.NormOf(UnitKind::kMlp).name));
  // The order of BlockLayout::linears.
  const std::array<LinearWeights*, 7> linears = {&weights.query,  &weights.key,  &weights.value,
                                                 &weights.output, &weights.gate, &weights.up,
                                                 &weights.down};
  for (size_t i = 0; i < linears.size(); ++i) {
    const LinearLayout& linear = layout.linears[i];
    HEROQ_ASSIGN_OR_RETURN(linears[i]->weight, load(absl::StrCat(linear.name, ".weight")));
    linears[i]->activation_bits = source.ActivationBits(linear.name);
    HEROQ_ASSIGN_OR_RETURN(std::tie(linears[i]->branch_down, linears[i]->branch_up),
                           source.LoadBranch(linear.name));
    if (linear.has_bias) {
      HEROQ_ASSIGN_OR_RETURN(linears[i]->bias, load(absl::StrCat(linear.name, ".bias")));
    }
  }
  // No narrower than loaders compute it.
  const c10::ScalarType wide = dtype == at::kDouble ? at::kDouble : at::kFloat;
  for (const LinearInput input :
       {LinearInput::kAttentionIn, LinearInput::kAttentionOut, LinearInput::kMlpIn, LinearInput::kMlpOut}) {
    at::Tensor rotation;
    if (const auto other = replaced.find(OnlineTensor(layout, input)); other != replaced.end()) {
      HEROQ_ASSIGN_OR_RETURN(rotation, CatchTorch("rotation of an input",
                                                  [&] { return OnlineRotationOf(other->second, wide); }));
    } else {
      HEROQ_ASSIGN_OR_RETURN(rotation, source.LoadRotation(layout, input, wide));
    }
    if (rotation.defined()) weights.rotations.emplace(input, std::move(rotation));
  }
  return DecoderBlock(source.layout(), std::move(weights));
}

void WillLoadBlock(const WeightSource& source, int64_t block) {
  for (const LinearLayout& linear : source.layout().blocks[static_cast<size_t>(block)].linears) {
    source.WillLoad(absl::StrCat(linear.name, ".weight"));
  }
}

absl::StatusOr<OutputHead> LoadOutputHead(const WeightSource& source, c10::ScalarType dtype) {
  HEROQ_ASSIGN_OR_RETURN(at::Tensor gain, source.Load(source.layout().final_norm_name, dtype));
  HEROQ_ASSIGN_OR_RETURN(at::Tensor weight, source.Load(source.layout().head_name, dtype));
  return OutputHead(std::move(gain), std::move(weight), source.layout().norm_epsilon);
}

absl::StatusOr<at::Tensor> Embed(const WeightSource& source, const at::Tensor& ids, c10::ScalarType dtype) {
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor rows, source.LoadRows(source.layout().embedding_name, ids, dtype));
  return rows.view({ids.size(0), ids.size(1), rows.size(-1)});
}

}  // namespace heroq
