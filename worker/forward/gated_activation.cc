#include "worker/forward/gated_activation.h"

#include <ATen/ops/silu.h>

#include "worker/forward/bf16_rows.h"

namespace heroq {

void MultiplySilu(at::Tensor& gate, const at::Tensor& up) {
  if (!HasBlockKernels(gate)) {
    at::silu_(gate).mul_(up);
    return;
  }
  uint16_t* const to = MutableBits(gate);
  const uint16_t* const from = Bits(up);
  const int64_t width = gate.size(-1);
  ForRows(gate.numel() / width, width, [&](const BlockKernels& kernels, int64_t row) {
    kernels.silu_multiply(to + row * width, from + row * width, width, to + row * width);
  });
}

}  // namespace heroq
