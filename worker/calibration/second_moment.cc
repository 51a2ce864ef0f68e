#include "worker/calibration/second_moment.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "worker/calibration/gram_kernel.h"
#include "worker/device/bf16_products.h"
#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

// Columns computed at once: what lies below the diagonal of a panel is computed for nothing.
constexpr int64_t kPanel = 128;

// sum += rows^T rows, on and above the diagonal. On one thread: MKL cuts a product differently for every
// number of threads, and the bits with it.
void AddPanels(const at::Tensor& rows, at::Tensor& sum) {
  const OneThreadScope one_thread;
  const int64_t features = rows.size(1);
  for (int64_t begin = 0; begin < features; begin += kPanel) {
    const int64_t width = std::min(kPanel, features - begin), end = begin + width;
    sum.narrow(0, 0, end)
        .narrow(1, begin, width)
        .add_(at::mm(rows.narrow(1, 0, end).t(), rows.narrow(1, begin, width)));
  }
}

void AddProduct(const at::Tensor& rows, at::Tensor& sum) {
  if (!rows.is_cpu()) {
    const at::Tensor wide = rows.to(at::kFloat);
    sum.add_(at::mm(wide.t(), wide));
  } else if (rows.scalar_type() == at::kFloat) {
    AddPanels(rows, sum);
  } else {
    const Bf16ProductsGuard exact;
    AddPanels(rows.to(at::kFloat), sum);
  }
}

}  // namespace

void SecondMoment::Add(const at::Tensor& rows) {
  if (rows.size(0) == 0) return;
  const int64_t tokens = rows.size(0);
  features_ = rows.size(1);
  const bool packs = rows.is_cpu() && rows.scalar_type() == at::kBFloat16 && HasBf16GramKernel();
  if (!sum_.defined()) {
    const auto options = at::TensorOptions(at::kFloat).device(rows.device());
    sum_ = packs ? at::empty({UpperIndex(features_, features_, features_)}, options)
                 : at::empty({features_, features_}, options);
  }
  if (packs) {
    AddBf16Gram(rows.const_data_ptr<c10::BFloat16>(), tokens, features_, token_count_ == 0,
                sum_.mutable_data_ptr<float>());
  } else {
    if (token_count_ == 0) sum_.zero_();
    AddProduct(rows, sum_);
  }
  token_count_ += tokens;
}

bool SecondMoment::finite() const {
  if (!sum_.defined()) return true;
  if (sum_.dim() == 2) return at::isfinite(sum_.diagonal()).all().item<bool>();
  const float* const upper = sum_.const_data_ptr<float>();
  for (int64_t i = 0; i < features_; ++i) {
    if (!std::isfinite(upper[UpperIndex(i, i, features_)])) return false;
  }
  return true;
}

PackedStatistics SecondMoment::TakePacked() {
  const int64_t count = std::exchange(token_count_, 0);
  return sum_.dim() == 2 ? Pack({sum_, count}) : PackedStatistics{std::exchange(sum_, {}), count};
}

}  // namespace heroq
