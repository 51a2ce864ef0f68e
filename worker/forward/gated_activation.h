#pragma once

#include <ATen/core/Tensor.h>

namespace heroq {

// gate := silu(gate) * up, both contiguous and of one shape and type; silu is rounded to the type before the
// product, as transformers does. Throws what LibTorch throws.
void MultiplySilu(at::Tensor& gate, const at::Tensor& up);

}  // namespace heroq
