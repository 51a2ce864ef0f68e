#include "worker/forward/input_rotation.h"

#include <ATen/ops/matmul.h>

namespace heroq {

at::Tensor RotateInput(const at::Tensor& x, const at::Tensor& rotation) {
  const at::Tensor blocks = x.reshape({-1, rotation.size(0)}).to(rotation.scalar_type());
  return at::matmul(blocks, rotation).view(x.sizes()).to(x.scalar_type());
}

}  // namespace heroq
