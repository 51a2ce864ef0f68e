#include "worker/calibration/second_moment.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <utility>

#include "worker/calibration/gram_kernel.h"
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
  token_count_ += rows.size(0);
  if (rows.is_cpu() && rows.scalar_type() == at::kBFloat16 && HasBf16GramKernel()) {
    const int64_t features = rows.size(1);
    if (!sum_.defined()) sum_ = at::zeros({features, features}, at::kFloat);
    AddBf16Gram(rows.const_data_ptr<c10::BFloat16>(), rows.size(0), features, sum_.mutable_data_ptr<float>());
  } else if (sum_.defined()) {
    sum_.add_(Gram(rows));
  } else {
    sum_ = Gram(rows);
  }
}

bool SecondMoment::finite() const {
  return !sum_.defined() || at::isfinite(sum_.diagonal()).all().item<bool>();
}

LayerStatistics SecondMoment::TakeUpper() {
  return {std::exchange(sum_, at::Tensor()), std::exchange(token_count_, 0)};
}

}  // namespace heroq
