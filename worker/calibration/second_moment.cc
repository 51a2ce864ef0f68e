#include "worker/calibration/second_moment.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/mm.h>

#include <algorithm>
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

// With `first`, what `sum` held does not count.
void AddGram(const at::Tensor& rows, bool first, at::Tensor& sum) {
  if (rows.is_cpu() && rows.scalar_type() == at::kBFloat16 && HasBf16GramKernel()) {
    AddBf16Gram(rows.const_data_ptr<c10::BFloat16>(), rows.size(0), rows.size(1), first,
                sum.mutable_data_ptr<float>());
    return;
  }
  if (first) sum.zero_();
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
  if (!sum_.defined()) {
    sum_ = at::empty({rows.size(1), rows.size(1)}, at::TensorOptions(at::kFloat).device(rows.device()));
  }
  AddGram(rows, token_count_ == 0, sum_);
  token_count_ += rows.size(0);
}

bool SecondMoment::finite() const {
  return !sum_.defined() || at::isfinite(sum_.diagonal()).all().item<bool>();
}

PackedStatistics SecondMoment::TakePacked() { return Pack({sum_, std::exchange(token_count_, 0)}); }

}  // namespace heroq
