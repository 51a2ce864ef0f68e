#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/model_layout.h"
#include "heroq/v1/plan.pb.h"
#include "heroq/v1/scheme.pb.h"

namespace heroq {

// What happens to every linear of a model.
struct ResolvedSchemes {
  // Parallel to ModelLayout.blocks and their linears; unset: the linear stays as it is.
  std::vector<std::vector<std::optional<v1::LinearScheme>>> linears;
  // Linears that stay, in model order, and the head.
  std::vector<v1::KeptLinear> kept;
};

// One scheme per linear of the blocks (the head stays dense). Overrides apply in order, first match wins.
// Symmetry auto: asymmetric for weight-only 4 and 8 bits, symmetric elsewhere. Group size auto: one scale per
// channel for 8-bit weights with quantized activations, else the largest of 128, 64, 32 that divides the
// input share of every linear that leaves it open; the share is in / tensor_parallel where tensor parallelism
// splits inputs (attention out, mlp out). GROUP_SIZE_INDIVISIBLE lists linears and sizes that work;
// INVALID_SPEC for an override that matches nothing, one that splits linears which loaders fuse (q,k,v;
// gate,up), a tensor-parallel degree the shapes do not allow, or a spec that keeps every linear. `spec` is
// resolved (ResolveSpec). Pure.
absl::StatusOr<ResolvedSchemes> ResolveSchemes(const v1::SchemeSpec& spec, const ModelLayout& layout,
                                               int tensor_parallel);

}  // namespace heroq
