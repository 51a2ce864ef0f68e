#include "coordinator/planning/tensor_parallel.h"

#include "absl/strings/str_cat.h"
#include "coordinator/planning/quantized_tensors.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/planning/spec_violations.h"

namespace heroq {
namespace {

absl::Status Refuse(int tensor_parallel, absl::string_view why) {
  SpecViolations violations;
  violations.Add("target_tensor_parallel", absl::StrCat("is ", tensor_parallel, ", but ", why));
  return violations.ToStatus();
}

}  // namespace

bool SplitsInput(LinearInput input) {
  return input == LinearInput::kAttentionOut || input == LinearInput::kMlpOut;
}

int64_t InputShare(const LinearLayout& linear, int tensor_parallel) {
  return SplitsInput(linear.input) ? linear.in_features / tensor_parallel : linear.in_features;
}

absl::Status CheckModelDivides(const ModelLayout& layout, int tensor_parallel) {
  if (layout.head_count % tensor_parallel != 0) {
    return Refuse(tensor_parallel, absl::StrCat("the model has ", layout.head_count, " attention heads"));
  }
  // Loaders replicate key-value heads over ranks when there are fewer heads than ranks.
  if (layout.kv_head_count % tensor_parallel != 0 && tensor_parallel % layout.kv_head_count != 0) {
    return Refuse(tensor_parallel, absl::StrCat("the model has ", layout.kv_head_count, " key-value heads"));
  }
  for (const BlockLayout& block : layout.blocks) {
    for (const LinearLayout& linear : block.linears) {
      const int64_t split = SplitsInput(linear.input) ? linear.in_features : linear.out_features;
      // Replicated heads are whole ones.
      if (linear.input == LinearInput::kAttentionIn) continue;
      if (split % tensor_parallel != 0) {
        return Refuse(tensor_parallel, absl::StrCat(linear.name, " has ", split, " channels to divide"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPackingDivides(const LinearLayout& linear, const v1::LinearScheme& scheme,
                                 int tensor_parallel) {
  // Whole bytes can be cut anywhere.
  const bool packed = StoredFormat(ToQuantScheme(scheme)) == LinearFormat::kPackQuantized;
  if (tensor_parallel == 1 || !packed) return absl::OkStatus();
  if (SplitsInput(linear.input)) {
    const int64_t bits = linear.in_features / tensor_parallel * scheme.weight_bits();
    if (bits % 32 == 0) return absl::OkStatus();
    return Refuse(tensor_parallel, absl::StrCat("a rank's ", bits, " bits of a row of ", linear.name,
                                                " do not fill whole 32-bit words"));
  }
  if (scheme.symmetric() || linear.out_features % tensor_parallel != 0) return absl::OkStatus();
  const int64_t bits = linear.out_features / tensor_parallel * scheme.weight_bits();
  if (bits % 32 == 0) return absl::OkStatus();
  return Refuse(tensor_parallel,
                absl::StrCat("a rank's ", bits, " bits of zero points of ", linear.name,
                             " do not fill whole 32-bit words; a symmetric scheme has none"));
}

}  // namespace heroq
