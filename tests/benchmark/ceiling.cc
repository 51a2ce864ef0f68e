#include "tests/benchmark/ceiling.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "common/time/clock.h"
#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

constexpr int kAttempts = 7;

double SecondsOf(const std::function<void()>& work) {
  work();
  double best = 1e9;
  for (int i = 0; i < kAttempts; ++i) {
    const absl::Duration begin = Clock::System().Monotonic();
    work();
    best = std::min(best, absl::ToDoubleSeconds(Clock::System().Monotonic() - begin));
  }
  return best;
}

double MeasureMatrixProduct(c10::ScalarType type) {
  const OneThreadScope one_thread;
  constexpr int64_t kSize = 2048;
  const at::Tensor a = at::randn({kSize, kSize}).to(type);
  const at::Tensor b = at::randn({kSize, kSize}).to(type);
  return 2.0 * kSize * kSize * kSize / SecondsOf([&] { benchmark::DoNotOptimize(at::mm(a, b)); });
}

double MeasureCopy() {
  constexpr size_t kBytes = size_t{256} << 20;
  const std::vector<char> from(kBytes, 1);
  std::vector<char> to(kBytes);
  return 2.0 * kBytes / SecondsOf([&] {
           std::memcpy(to.data(), from.data(), kBytes);
           benchmark::ClobberMemory();
         });
}

}  // namespace

double MatrixProductRate(c10::ScalarType type) {
  static const double single = MeasureMatrixProduct(at::kFloat);
  static const double half = MeasureMatrixProduct(at::kBFloat16);
  return type == at::kBFloat16 ? half : single;
}

double CopyRate() {
  static const double rate = MeasureCopy();
  return rate;
}

void ReportOperations(benchmark::State& state, double operations, c10::ScalarType ceiling) {
  using Counter = benchmark::Counter;
  const double total = operations * static_cast<double>(state.iterations());
  state.counters["flop/s"] = Counter(total, Counter::kIsRate, Counter::kIs1000);
  state.counters["share"] = Counter(total / MatrixProductRate(ceiling), Counter::kIsRate);
}

void ReportBytes(benchmark::State& state, double bytes) {
  using Counter = benchmark::Counter;
  const double total = bytes * static_cast<double>(state.iterations());
  state.counters["bytes/s"] = Counter(total, Counter::kIsRate, Counter::kIs1000);
  state.counters["share"] = Counter(total / CopyRate(), Counter::kIsRate);
}

}  // namespace heroq
