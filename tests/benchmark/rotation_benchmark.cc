#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include "tests/benchmark/ceiling.h"
#include "worker/device/thread_settings.h"
#include "worker/transform/cayley.h"
#include "worker/transform/hadamard.h"
#include "worker/transform/lanczos.h"
#include "worker/transform/rotation_loss.h"
#include "worker/transform/spectral_evidence.h"

namespace heroq {
namespace {

// A batch of rotations: two products for the velocity, one for the update, and the solve of a system, 8/3
// b^3.
void CayleyStep(benchmark::State& state) {
  const OneThreadScope one_thread;
  const int64_t count = state.range(0);
  const int64_t size = state.range(1);
  const at::Tensor start = HadamardMatrix(size, at::kDouble).expand({count, size, size}).contiguous();
  const at::Tensor gradient = at::randn({count, size, size}, at::kDouble);
  CayleyDescent descent(start, 0.9);
  for (auto _ : state) descent.Step(gradient, 0.01);
  const auto cube = static_cast<double>(size * size * size);
  ReportOperations(state, static_cast<double>(count) * cube * (2 * 2 + 2 + 8.0 / 3), at::kFloat);
}
BENCHMARK(CayleyStep)
    ->ArgNames({"count", "b"})
    ->Args({1, 64})
    ->Args({24, 64})
    ->Args({1, 128})
    ->Unit(benchmark::kMicrosecond);

// Value and gradient of a learned rotation's loss: E M and its way back, 2 * 2 * rows * in^2.
void LossOfRotation(benchmark::State& state) {
  const OneThreadScope one_thread;
  const int64_t in = state.range(0);
  const int64_t rows = 512;
  const int64_t size = 64;
  RotationProblem problem;
  problem.weight = at::randn({rows, in});
  const at::Tensor x = at::randn({2 * in, in});
  problem.second_moment = at::mm(x.t(), x);
  problem.scheme.weight_bits = 4;
  problem.scheme.group_size = 64;
  problem.rotation_of_block.assign(static_cast<size_t>(in / size), 0);
  const RotationLoss loss(problem, size, ErrorMetric::kOutput, rows);
  const at::Tensor rotation = HadamardMatrix(size, at::kFloat).unsqueeze(0);
  const Cancellation never;
  for (auto _ : state) benchmark::DoNotOptimize(loss.Evaluate(rotation, never));
  ReportOperations(state, 2.0 * rows * in * in, at::kFloat);
}
BENCHMARK(LossOfRotation)->ArgName("in")->Arg(576)->Arg(1536)->Unit(benchmark::kMillisecond);

// The spectral report of one linear: the top of H's spectrum and what part of the error lies along it.
void SpectralReport(benchmark::State& state) {
  const OneThreadScope one_thread;
  const int64_t out = state.range(0);
  const int64_t in = state.range(1);
  const at::Tensor x = at::randn({2 * in, in});
  const at::Tensor second_moment = at::mm(x.t(), x);
  const at::Tensor error = at::randn({out, in});
  const Cancellation never;
  for (auto _ : state) {
    const absl::StatusOr<Spectrum> spectrum =
        ComputeSpectrum(second_moment, 0.02 * static_cast<double>(in), {}, never);
    benchmark::DoNotOptimize(MeasureEvidence(*spectrum, error, 1));
  }
}
BENCHMARK(SpectralReport)
    ->ArgNames({"out", "in"})
    ->Args({576, 576})
    ->Args({1536, 576})
    ->Args({576, 1536})
    ->Args({4096, 4096})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace heroq
