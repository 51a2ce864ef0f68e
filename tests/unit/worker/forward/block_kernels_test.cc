#include "worker/forward/block_kernels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "worker/forward/bf16_rows.h"

namespace heroq {
namespace {

class BlockKernelsTest : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!IsSupported(GetParam())) GTEST_SKIP();
  }
  const BlockKernels& kernels() const { return BlockKernelsFor(GetParam()); }
};

at::Tensor Bf16(const at::Tensor& values) { return values.to(at::kBFloat16); }
at::Tensor Wide(const at::Tensor& values) { return values.to(at::kDouble); }

// float32 inside differs from float64 by far less than half a step of bfloat16, so that rounding goes the
// other way for few values, and by one step in each of the two roundings.
void ExpectRoundingOf(const at::Tensor& found, const at::Tensor& expected) {
  const at::Tensor error = (Wide(found) - Wide(expected)).abs();
  EXPECT_TRUE((error <= Wide(expected).abs() * 0x1p-6).all().item<bool>());
  EXPECT_LE((error > 0).to(at::kDouble).mean().item<double>(), 0.02);
}

TEST_P(BlockKernelsTest, RmsNormOfAnyWidth) {
  for (const int64_t width : {1, 7, 16, 33, 576, 1000}) {
    const at::Tensor x = Bf16(at::randn({width}) * 3), gain = Bf16(at::rand({width}) + 0.5);
    const at::Tensor out = at::empty({width}, at::kBFloat16);
    kernels().rms_norm(Bits(x), Bits(gain), 1e-5f, width, MutableBits(out));
    const at::Tensor scale = (Wide(x).pow(2).mean() + 1e-5).rsqrt();
    ExpectRoundingOf(out, Bf16(Wide(Bf16(Wide(x) * scale)) * Wide(gain)));
  }
}

TEST_P(BlockKernelsTest, SumOfSquaresOfAnyCount) {
  for (const int64_t count : {1, 7, 16, 33, 576, 1000}) {
    const at::Tensor x = Bf16(at::randn({count}));
    const double expected = Wide(x).pow(2).sum().item<double>();
    EXPECT_NEAR(kernels().sum_of_squares(Bits(x), count), expected, 1e-6 * expected) << count;
  }
}

TEST_P(BlockKernelsTest, SiluMultiplyOfAnyCount) {
  for (const int64_t count : {1, 5, 16, 1537}) {
    const at::Tensor gate = Bf16(at::randn({count}) * 6), up = Bf16(at::randn({count}));
    const at::Tensor silu = Bf16(Wide(gate) / (1 + (-Wide(gate)).exp()));
    const at::Tensor expected = Bf16(Wide(silu) * Wide(up));
    kernels().silu_multiply(Bits(gate), Bits(up), count, MutableBits(gate));
    ExpectRoundingOf(gate, expected);
  }
}

TEST_P(BlockKernelsTest, SiluOfExtremes) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<float, float>> cases = {
      {0, 0}, {100, 100}, {3e38f, 3e38f}, {-200, 0}, {kInf, kInf}};
  for (const auto& [value, expected] : cases) {
    const at::Tensor gate = at::full({3}, value, at::kBFloat16), one = at::full({3}, 1, at::kBFloat16);
    kernels().silu_multiply(Bits(gate), Bits(one), 3, MutableBits(gate));
    if (expected == 0) {
      EXPECT_LT(std::abs(gate[2].item<float>()), 1e-30f);
    } else {
      EXPECT_EQ(gate[2].item<float>(), at::full({}, expected, at::kBFloat16).item<float>());
    }
  }
}

TEST_P(BlockKernelsTest, NanShows) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor x = Bf16(at::randn({40})), one = at::full({40}, 1, at::kBFloat16);
  x[35] = nan;
  const at::Tensor out = at::empty({40}, at::kBFloat16);
  kernels().rms_norm(Bits(x), Bits(one), 1e-5f, 40, MutableBits(out));
  EXPECT_TRUE(out.isnan().all().item<bool>());
  kernels().silu_multiply(Bits(x), Bits(one), 40, MutableBits(out));
  EXPECT_TRUE(out[35].isnan().item<bool>());
  EXPECT_EQ(out.isnan().sum().item<int64_t>(), 1);
  const at::Tensor scores = at::randn({48});
  scores[20] = nan;
  EXPECT_TRUE(std::isnan(kernels().softmax_f32(scores.mutable_data_ptr<float>(), 1, 33, 48)));
}

// Products of two bfloat16 values are exact in float32: the same bits as LibTorch's operators.
TEST_P(BlockKernelsTest, RotateRoundsAsLibTorchDoes) {
  for (const int64_t half : {1, 2, 8, 32, 50, 64}) {
    const at::Tensor head = Bf16(at::randn({2 * half})), angle = at::rand({half}) * 6;
    const at::Tensor cosine = Bf16(angle.cos()), sine = Bf16(angle.sin());
    const at::Tensor first = head.narrow(0, 0, half).clone(), second = head.narrow(0, half, half).clone();
    kernels().rotate(Bits(cosine), Bits(sine), half, MutableBits(head));
    EXPECT_TRUE(at::equal(head.narrow(0, 0, half), (first * cosine).addcmul_(second, sine, -1))) << half;
    EXPECT_TRUE(at::equal(head.narrow(0, half, half), (second * cosine).addcmul_(first, sine))) << half;
  }
}

TEST_P(BlockKernelsTest, SoftmaxSeesTheValidScoresOnly) {
  constexpr int64_t kWidth = 192;
  for (const int64_t valid : {1, 3, 16, 17, 31, 32, 100, 191, 192}) {
    const at::Tensor scores = at::randn({kWidth}) * 20;
    scores.narrow(0, valid, kWidth - valid).fill_(std::numeric_limits<float>::quiet_NaN());
    const at::Tensor seen = Wide(scores.narrow(0, 0, valid)) * 0.125;
    const at::Tensor expected = (seen - seen.max()).exp();
    const at::Tensor rounded = scores.clone(), apart = at::empty({kWidth}, at::kBFloat16);
    const float apart_sum =
        kernels().softmax_bf16(rounded.mutable_data_ptr<float>(), 0.125f, valid, kWidth, MutableBits(apart));
    const float in_place_sum =
        kernels().softmax_bf16(rounded.mutable_data_ptr<float>(), 0.125f, valid, kWidth,
                               reinterpret_cast<uint16_t*>(rounded.mutable_data_ptr<float>()));
    const float sum = kernels().softmax_f32(scores.mutable_data_ptr<float>(), 0.125f, valid, kWidth);
    EXPECT_EQ(sum, apart_sum);
    EXPECT_EQ(sum, in_place_sum);
    EXPECT_NEAR(sum, expected.sum().item<double>(), 1e-5 * sum);
    // Arguments of up to 20 * 4 / 8 are rounded to 2^-20 of the exponential.
    const at::Tensor weights = Wide(scores.narrow(0, 0, valid));
    EXPECT_LE(((weights - expected).abs() / expected).max().item<double>(), 1e-5);
    EXPECT_TRUE(at::equal(scores.narrow(0, valid, kWidth - valid), at::full({kWidth - valid}, 0.0f)));
    EXPECT_TRUE(at::equal(Bf16(scores), apart));
    EXPECT_TRUE(at::equal(rounded.view(at::kBFloat16).narrow(0, 0, kWidth), apart));
  }
}

TEST_P(BlockKernelsTest, ScaledValuesAreRounded) {
  for (const int64_t count : {1, 16, 19, 64}) {
    const at::Tensor x = at::randn({count}), out = at::empty({count}, at::kBFloat16);
    kernels().scale_to_bf16(x.const_data_ptr<float>(), 0.3f, count, MutableBits(out));
    EXPECT_TRUE(at::equal(out, Bf16(x * 0.3f)));
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, BlockKernelsTest, ::testing::Values(Isa::kPortable, Isa::kAvx2, Isa::kAvx512));

TEST(BlockKernelsAgreementTest, VariantsDifferByRoundingOnly) {
  const at::Tensor x = Bf16(at::randn({64, 577})), gain = Bf16(at::rand({577}) + 0.5);
  std::vector<at::Tensor> results;
  for (const Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    if (!IsSupported(isa)) continue;
    const at::Tensor out = at::empty({64, 577}, at::kBFloat16);
    for (int64_t row = 0; row < 64; ++row) {
      uint16_t* const to = MutableBits(out) + row * 577;
      BlockKernelsFor(isa).rms_norm(Bits(x) + row * 577, Bits(gain), 1e-5f, 577, to);
      BlockKernelsFor(isa).silu_multiply(to, Bits(gain), 577, to);
    }
    results.push_back(out);
  }
  for (const at::Tensor& result : results) ExpectRoundingOf(result, results.front());
}

}  // namespace
}  // namespace heroq
