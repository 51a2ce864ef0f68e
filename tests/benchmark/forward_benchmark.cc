#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include "tests/benchmark/ceiling.h"
#include "worker/calibration/second_moment.h"
#include "worker/device/thread_settings.h"
#include "worker/forward/decoder_block.h"

namespace heroq {
namespace {

// tokens * in^2: the triangle only, as it is computed.
void SecondMoments(benchmark::State& state) {
  const OneThreadScope one_thread;
  const int64_t tokens = 2048;
  const int64_t in = state.range(0);
  const at::Tensor rows = at::randn({tokens, in}).to(at::kBFloat16);
  SecondMoment moment;
  for (auto _ : state) moment.Add(rows);
  ReportOperations(state, static_cast<double>(tokens * in * in), at::kBFloat16);
}
BENCHMARK(SecondMoments)->ArgName("in")->Arg(576)->Arg(1536)->Arg(4096)->Unit(benchmark::kMillisecond);

struct BlockShape {
  int64_t hidden, intermediate, heads, kv_heads, head_dim;
};
constexpr BlockShape kShapes[] = {{576, 1536, 9, 3, 64}, {4096, 14336, 32, 8, 128}};

BlockWeights RandomWeights(const BlockShape& shape) {
  const auto linear = [](int64_t out, int64_t in) {
    return LinearWeights{(at::randn({out, in}) * 0.02).to(at::kBFloat16), at::Tensor()};
  };
  BlockWeights weights;
  weights.attention_norm = weights.mlp_norm = at::ones({shape.hidden}, at::kBFloat16);
  weights.query = linear(shape.heads * shape.head_dim, shape.hidden);
  weights.key = linear(shape.kv_heads * shape.head_dim, shape.hidden);
  weights.value = linear(shape.kv_heads * shape.head_dim, shape.hidden);
  weights.output = linear(shape.hidden, shape.heads * shape.head_dim);
  weights.gate = linear(shape.intermediate, shape.hidden);
  weights.up = linear(shape.intermediate, shape.hidden);
  weights.down = linear(shape.hidden, shape.intermediate);
  return weights;
}

// 2048 tokens as 4 x 512 or 1 x 2048: two operations a weight and token, and causal attention, half of a full
// one.
void Block(benchmark::State& state) {
  const OneThreadScope one_thread;
  const BlockShape& shape = kShapes[state.range(0)];
  const int64_t length = state.range(1);
  const int64_t sequences = 2048 / length;
  ModelLayout layout;
  layout.head_dim = shape.head_dim;
  layout.max_positions = length;
  layout.norm_epsilon = 1e-5;
  const DecoderBlock block(layout, RandomWeights(shape));
  const RotaryTable rotary(layout, length, at::kBFloat16, at::kCPU);
  const at::Tensor hidden = at::randn({sequences, length, shape.hidden}).to(at::kBFloat16);
  for (auto _ : state) benchmark::DoNotOptimize(block.Forward(hidden, rotary, nullptr));
  const int64_t attention_width = shape.heads * shape.head_dim;
  const int64_t weights = shape.hidden * (2 * attention_width + 2 * shape.kv_heads * shape.head_dim) +
                          3 * shape.hidden * shape.intermediate;
  ReportOperations(state, 2048.0 * (2.0 * weights + 2.0 * attention_width * length), at::kBFloat16);
}
BENCHMARK(Block)
    ->ArgNames({"shape", "length"})
    ->Args({0, 512})
    ->Args({0, 2048})
    ->Args({1, 2048})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace heroq
