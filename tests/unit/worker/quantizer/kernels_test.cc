#include "worker/quantizer/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "common/quant/half.h"
#include "worker/quantizer/aligned_buffer.h"

namespace heroq {
namespace {

std::vector<Isa> SupportedIsas() {
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    if (IsSupported(isa)) isas.push_back(isa);
  }
  return isas;
}

template <typename T>
AlignedBuffer<T> RandomBuffer(int64_t size, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  AlignedBuffer<T> buffer(size);
  for (int64_t i = 0; i < size; ++i) buffer[i] = static_cast<T>(normal(generator));
  return buffer;
}

template <typename T>
AlignedBuffer<T> Multiply(void (*kernel)(int64_t, const T*, const T*, T*, int64_t), int64_t depth,
                          int64_t stride) {
  constexpr int64_t kLanes = kStripBytes / sizeof(T);
  const AlignedBuffer<T> a = RandomBuffer<T>(depth * 8, 1);
  const AlignedBuffer<T> b = RandomBuffer<T>(depth * kLanes, 2);
  AlignedBuffer<T> c = RandomBuffer<T>(8 * stride, 3);
  kernel(depth, a.data(), b.data(), c.data(), stride);
  return c;
}

template <typename T>
void ExpectTileIsTheMatrixProduct(void (*kernel)(int64_t, const T*, const T*, T*, int64_t),
                                  double tolerance) {
  constexpr int64_t kLanes = kStripBytes / sizeof(T);
  constexpr int64_t kStride = 2 * kLanes;
  for (const int64_t depth : {int64_t{0}, int64_t{1}, int64_t{37}}) {
    const AlignedBuffer<T> a = RandomBuffer<T>(depth * 8, 1);
    const AlignedBuffer<T> b = RandomBuffer<T>(depth * kLanes, 2);
    const AlignedBuffer<T> before = RandomBuffer<T>(8 * kStride, 3);
    const AlignedBuffer<T> after = Multiply(kernel, depth, kStride);
    for (int64_t row = 0; row < 8; ++row) {
      for (int64_t lane = 0; lane < kStride; ++lane) {
        double expected = before[row * kStride + lane];
        for (int64_t k = 0; lane < kLanes && k < depth; ++k) {
          expected += static_cast<double>(a[k * 8 + row]) * b[k * kLanes + lane];
        }
        EXPECT_NEAR(after[row * kStride + lane], expected, tolerance) << depth << " " << row << " " << lane;
      }
    }
  }
}

TEST(KernelsTest, TileIsTheMatrixProductInEveryVariant) {
  for (const Isa isa : SupportedIsas()) {
    ExpectTileIsTheMatrixProduct<float>(KernelsFor(isa).multiply_tile_f32, 1e-4);
    ExpectTileIsTheMatrixProduct<double>(KernelsFor(isa).multiply_tile_f64, 1e-13);
  }
}

TEST(KernelsTest, FusedVariantsAgreeToTheBit) {
  if (!IsSupported(Isa::kAvx512)) GTEST_SKIP() << "this machine has no AVX-512";
  const AlignedBuffer<float> narrow = Multiply(KernelsFor(Isa::kAvx2).multiply_tile_f32, 200, 48);
  const AlignedBuffer<float> wide = Multiply(KernelsFor(Isa::kAvx512).multiply_tile_f32, 200, 48);
  EXPECT_EQ(std::memcmp(narrow.data(), wide.data(), narrow.size() * sizeof(float)), 0);
}

// One group whose range gives each lane the wanted scale: symmetric, 2 bits, so scale = amax / 1.5.
std::vector<float> RoundedScales(const Kernels& kernels, ScaleRounding rounding,
                                 const std::vector<float>& amax) {
  AlignedBuffer<float> buffers(4 * kStripRows);
  for (size_t lane = 0; lane < amax.size(); ++lane) buffers[lane] = -amax[lane];
  const float one = 1.0f;
  SearchScalesArguments arguments{};
  arguments.columns = 1;
  arguments.weight = buffers.data();
  arguments.importance = &one;
  arguments.shares = &one;
  arguments.share_count = 1;
  arguments.max_code = 3;
  arguments.middle_code = 2;
  arguments.symmetric = true;
  arguments.rounding = rounding;
  arguments.zero_range_scale = 0.25f;
  arguments.scale = buffers.data() + kStripRows;
  arguments.zero = buffers.data() + 2 * kStripRows;
  arguments.chosen = buffers.data() + 3 * kStripRows;
  kernels.search_scales(arguments);
  return std::vector<float>(arguments.scale, arguments.scale + amax.size());
}

TEST(KernelsTest, ScalesAreRoundedAsTheirStoredTypeRounds) {
  std::mt19937 generator(7);
  std::uniform_real_distribution<float> exponent(-30, 15);
  for (const Isa isa : SupportedIsas()) {
    for (int round = 0; round < 200; ++round) {
      std::vector<float> amax(kStripRows);
      for (float& value : amax) value = std::exp2(exponent(generator));
      const std::vector<float> bf16 = RoundedScales(KernelsFor(isa), ScaleRounding::kBf16, amax);
      const std::vector<float> f16 = RoundedScales(KernelsFor(isa), ScaleRounding::kF16, amax);
      for (size_t lane = 0; lane < amax.size(); ++lane) {
        const float exact = amax[lane] / 1.5f;
        const float half = F16ToFloat(FloatToF16(exact));
        EXPECT_EQ(bf16[lane], Bf16ToFloat(FloatToBf16(exact))) << exact;
        EXPECT_EQ(f16[lane], half == 0 ? 0.25f : half) << exact;
      }
    }
  }
}

}  // namespace
}  // namespace heroq
