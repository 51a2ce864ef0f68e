#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "common/concurrency/cancellation.h"
#include "tests/benchmark/ceiling.h"
#include "worker/device/thread_settings.h"
#include "worker/methods/host_matrix.h"
#include "worker/quantizer/gptq.h"
#include "worker/quantizer/grid.h"

namespace heroq {
namespace {

// A layer with correlated inputs of uneven strength.
struct Layer {
  Layer(int64_t out_features, int64_t in_features)
      : out(out_features), in(in_features), weight(at::randn({out, in})) {
    const at::Tensor x = at::randn({2 * in, in}) * at::randn({in}).exp();
    moments = HostMatrix(at::mm(x.t(), x));
    scheme.weight_bits = 4;
    scheme.group_size = 64;
  }

  const int64_t out;
  const int64_t in;
  const at::Tensor weight;
  at::Tensor moments;
  QuantScheme scheme;
};

HessianFactor Factor(const Layer& layer) {
  return *FactorHessian(KernelsFor(BestIsa()), Values(layer.moments), layer.in, {.token_count = 2 * layer.in},
                        "layer");
}

ScaleGrid Grid(const Layer& layer, GridSearch search) {
  return *MakeGrid(KernelsFor(BestIsa()), Values(layer.weight), layer.out, layer.in, layer.scheme, {search},
                   "layer");
}

// in^3 / 3: the triangle only.
void FactorOfSecondMoments(benchmark::State& state) {
  const OneThreadScope one_thread;
  const Layer layer(8, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Factor(layer));
  const auto in = static_cast<double>(layer.in);
  ReportOperations(state, in * in * in / 3, at::kFloat);
}
BENCHMARK(FactorOfSecondMoments)
    ->ArgName("in")
    ->Arg(576)
    ->Arg(1536)
    ->Arg(4096)
    ->Unit(benchmark::kMillisecond);

// out * in^2: every error is multiplied with the triangle of feedback.
void Gptq(benchmark::State& state) {
  const OneThreadScope one_thread;
  const Layer layer(state.range(0), state.range(1));
  const HessianFactor factor = Factor(layer);
  const ScaleGrid grid = Grid(layer, GridSearch::kMinMax);
  const Cancellation never;
  for (auto _ : state) {
    benchmark::DoNotOptimize(SolveGptq(KernelsFor(BestIsa()), Values(layer.weight), grid, factor, never));
  }
  ReportOperations(state, static_cast<double>(layer.out * layer.in * layer.in), at::kFloat);
}
BENCHMARK(Gptq)
    ->ArgNames({"out", "in"})
    ->Args({576, 576})
    ->Args({576, 1536})
    ->Args({1536, 576})
    ->Args({4096, 4096})
    ->Unit(benchmark::kMillisecond);

// Everything from second moments to codes for the linears of one block of SmolLM2-135M, as a job stacks them.
void SolverOfBlock(benchmark::State& state) {
  const OneThreadScope one_thread;
  const std::vector<Layer> layers = {{960, 576}, {576, 576}, {3072, 576}, {576, 1536}};
  const Cancellation never;
  for (auto _ : state) {
    for (const Layer& layer : layers) {
      benchmark::DoNotOptimize(SolveGptq(KernelsFor(BestIsa()), Values(layer.weight),
                                         Grid(layer, GridSearch::kMinMax), Factor(layer), never));
    }
  }
}
BENCHMARK(SolverOfBlock)->Unit(benchmark::kMillisecond);

void ScaleSearch(benchmark::State& state) {
  const OneThreadScope one_thread;
  const Layer layer(1536, 576);
  const auto search = static_cast<GridSearch>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Grid(layer, search));
  state.counters["weights/s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * layer.out * layer.in), benchmark::Counter::kIsRate);
}
BENCHMARK(ScaleSearch)
    ->ArgName("search")
    ->Arg(static_cast<int>(GridSearch::kMinMax))
    ->Arg(static_cast<int>(GridSearch::kShrink))
    ->Arg(static_cast<int>(GridSearch::kLeastSquares))
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace heroq
