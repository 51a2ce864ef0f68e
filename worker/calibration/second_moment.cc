#include "worker/calibration/second_moment.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/mm.h>

#include <utility>

#include "worker/device/bf16_products.h"

namespace heroq {
namespace {

at::Tensor Gram(const at::Tensor& rows) {
  if (rows.scalar_type() == at::kFloat) return at::mm(rows.t(), rows);
  const at::Tensor wide = rows.to(at::kFloat);
  const Bf16ProductsGuard exact;
  return at::mm(wide.t(), wide);
}

}  // namespace

void SecondMoment::Add(const at::Tensor& rows) {
  const at::Tensor product = Gram(rows);
  if (sum_.defined()) {
    sum_.add_(product);
  } else {
    sum_ = product;
  }
  token_count_ += rows.size(0);
}

bool SecondMoment::finite() const {
  return !sum_.defined() || at::isfinite(sum_.diagonal()).all().item<bool>();
}

LayerStatistics SecondMoment::TakeUpper() {
  return {std::exchange(sum_, at::Tensor()), std::exchange(token_count_, 0)};
}

}  // namespace heroq
