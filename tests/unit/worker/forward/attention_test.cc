#include "worker/forward/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "worker/device/thread_settings.h"
#include "worker/forward/attention_tiles.h"

namespace heroq {
namespace {

// Softmax attention by the definition, in double, one head at a time, with a mask.
at::Tensor Reference(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  const int64_t length = query.size(1);
  const at::Tensor future = at::ones({length, length}, at::kBool).triu(1);
  std::vector<at::Tensor> heads;
  for (int64_t head = 0; head < query.size(2); ++head) {
    const int64_t shared = head / (query.size(2) / key.size(2));
    const at::Tensor q = query.select(2, head).to(at::kDouble);
    const at::Tensor k = key.select(2, shared).to(at::kDouble);
    const at::Tensor scores =
        at::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(query.size(3)));
    const at::Tensor weights =
        scores.masked_fill(future, -std::numeric_limits<double>::infinity()).softmax(-1);
    heads.push_back(at::matmul(weights, value.select(2, shared).to(at::kDouble)));
  }
  return at::cat(heads, -1);
}

TEST(CausalAttentionTest, MatchesTheDefinitionForAnySharingOfKeyHeads) {
  for (const int64_t kv_heads : {1, 2, 6}) {
    for (const int64_t length : {1, 7, 130, 300}) {
      const at::Tensor query = at::randn({2, length, 6, 16});
      const at::Tensor key = at::randn({2, length, kv_heads, 16});
      const at::Tensor value = at::randn({2, length, kv_heads, 16});
      const at::Tensor mixed = CausalAttention(query, key, value);
      EXPECT_TRUE(mixed.is_contiguous());
      EXPECT_TRUE(at::allclose(mixed.to(at::kDouble), Reference(query, key, value), 1e-4, 1e-5))
          << kv_heads << " KV heads, length " << length;
    }
  }
}

class TiledAttentionTest : public ::testing::TestWithParam<TileForm> {
 protected:
  void SetUp() override {
    if (!IsSupported(GetParam())) GTEST_SKIP();
  }
};

TEST_P(TiledAttentionTest, Bfloat16StaysWithinItsRounding) {
  struct Case {
    int64_t heads, kv_heads, width, length;
  };
  for (const auto& [heads, kv_heads, width, length] : {Case{6, 2, 64, 200},
                                                       {3, 3, 16, 1},
                                                       {3, 3, 2, 64},
                                                       {8, 2, 128, 65},
                                                       {80, 1, 16, 20},
                                                       {3, 1, 64, 600}}) {
    const auto random = [&, length = length, width = width](int64_t count) {
      return at::randn({2, length, count, width}).to(at::kBFloat16);
    };
    const at::Tensor query = random(heads), key = random(kv_heads), value = random(kv_heads);
    const at::Tensor mixed = TiledCausalAttention(query, key, value, GetParam());
    const at::Tensor error = mixed.to(at::kDouble) - Reference(query, key, value);
    // Values of up to 4 are rounded to 2^-7 at the end, weights to 2^-9 of themselves.
    EXPECT_LE(error.abs().max().item<double>(), 0.02)
        << heads << ":" << kv_heads << " heads of " << width << ", length " << length;
  }
}

TEST_P(TiledAttentionTest, BatchAndThreadsDoNotChangeABit) {
  for (const int64_t length : {40, 300}) {
    const auto random = [&](int64_t count) { return at::randn({3, length, count, 64}).to(at::kBFloat16); };
    const at::Tensor query = random(9), key = random(3), value = random(3);
    SetTaskThreads(1);
    const at::Tensor together = TiledCausalAttention(query, key, value, GetParam());
    SetTaskThreads(2);
    EXPECT_TRUE(at::equal(TiledCausalAttention(query, key, value, GetParam()), together));
    for (int64_t i = 0; i < 3; ++i) {
      const auto alone = [&](const at::Tensor& all) { return all.narrow(0, i, 1); };
      EXPECT_TRUE(at::equal(TiledCausalAttention(alone(query), alone(key), alone(value), GetParam())[0],
                            together[i]));
    }
    SetTaskThreads(1);
  }
}

INSTANTIATE_TEST_SUITE_P(Form, TiledAttentionTest, ::testing::Values(TileForm::kBf16Pairs, TileForm::kFloat));

TEST(CausalAttentionTest, BatchAndThreadsDoNotChangeABit) {
  for (const c10::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor query = at::randn({4, 300, 9, 64}).to(dtype);
    const at::Tensor key = at::randn({4, 300, 3, 64}).to(dtype);
    const at::Tensor value = at::randn({4, 300, 3, 64}).to(dtype);
    SetTaskThreads(1);
    const at::Tensor together = CausalAttention(query, key, value);
    for (int64_t i = 0; i < 4; ++i) {
      const at::Tensor alone =
          CausalAttention(query.narrow(0, i, 1), key.narrow(0, i, 1), value.narrow(0, i, 1));
      EXPECT_TRUE(at::equal(alone[0], together[i]));
    }
    SetTaskThreads(2);
    EXPECT_TRUE(at::equal(CausalAttention(query, key, value), together));
    SetTaskThreads(1);
  }
}

}  // namespace
}  // namespace heroq
