#include "worker/loading/stored_rotation.h"

#include <cmath>

namespace heroq {

at::Tensor StoredRotation(const at::Tensor& rotation) {
  const double root = std::sqrt(static_cast<double>(rotation.size(0)));
  return rotation.to(at::kDouble).mul(root);
}

at::Tensor OnlineRotationOf(const at::Tensor& stored, c10::ScalarType dtype) {
  const double root = std::sqrt(static_cast<double>(stored.size(0)));
  return stored.to(at::kDouble).div(root).to(dtype);
}

}  // namespace heroq
