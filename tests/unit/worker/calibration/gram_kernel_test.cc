#include "worker/calibration/gram_kernel.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

class GramKernelTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasBf16GramKernel()) GTEST_SKIP() << "this processor has no AVX512-BF16";
  }
};

double Dot(const at::Tensor& rows, const at::Tensor& matrix) {
  return Bf16GramDot(rows.const_data_ptr<c10::BFloat16>(), rows.size(0), rows.size(1),
                     matrix.const_data_ptr<float>());
}

TEST_F(GramKernelTest, DotIsTheSumOverAllElements) {
  for (const int64_t features : {1, 7, 48, 200, 576}) {
    const at::Tensor half = at::randn({features, features});
    const at::Tensor matrix = half + half.t();
    for (const int64_t tokens : {1, 3, 192, 256, 300, 1100}) {
      const at::Tensor rows = at::randn({tokens, features}).to(at::kBFloat16);
      const at::Tensor wide = rows.to(at::kDouble);
      const at::Tensor terms = at::mm(wide.t(), wide) * matrix.to(at::kDouble);
      EXPECT_NEAR(Dot(rows, matrix), terms.sum().item<double>(), 1e-6 * terms.abs().sum().item<double>())
          << tokens << " x " << features;
    }
  }
}

TEST_F(GramKernelTest, DotReadsNothingBelowTheDiagonal) {
  const at::Tensor rows = at::randn({30, 250}).to(at::kBFloat16);
  const at::Tensor matrix = at::randn({250, 250});
  const at::Tensor upper = matrix.triu();
  EXPECT_EQ(Dot(rows, matrix), Dot(rows, upper));
}

TEST_F(GramKernelTest, ThreadsDoNotChangeABitOfTheDot) {
  const at::Tensor rows = at::randn({600, 576}).to(at::kBFloat16);
  const at::Tensor matrix = at::randn({576, 576});
  SetTaskThreads(1);
  const double one = Dot(rows, matrix);
  SetTaskThreads(2);
  EXPECT_EQ(Dot(rows, matrix), one);
  SetTaskThreads(1);
}

}  // namespace
}  // namespace heroq
