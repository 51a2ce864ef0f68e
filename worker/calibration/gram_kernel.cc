#include "worker/calibration/gram_kernel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "worker/calibration/gram_strips.h"

namespace heroq {

#ifdef HEROQ_X86_KERNELS

bool HasBf16GramKernel() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bf16");
}

void AddBf16Gram(const c10::BFloat16* rows, int64_t tokens, int64_t features, float* sum) {
  const int64_t count = (features + kGramStrip - 1) / kGramStrip;
  std::vector<GramStrip> strips(static_cast<size_t>(count));
  const auto width = [&](int64_t strip) { return std::min(kGramStrip, features - strip * kGramStrip); };
  for (int64_t begin = 0; begin < tokens; begin += kGramBlockTokens) {
    const auto* block = reinterpret_cast<const uint16_t*>(rows + begin * features);
    const int64_t size = std::min(kGramBlockTokens, tokens - begin);
    at::parallel_for(0, count, 4, [&](int64_t first, int64_t last) {
      for (int64_t strip = first; strip < last; ++strip) {
        PackGramStrip(block, size, strip * kGramStrip, features, strips[strip]);
      }
    });
    // Pairs of strips on and above the diagonal, column by column: (0,0), (0,1), (1,1), (0,2), ...
    at::parallel_for(0, count * (count + 1) / 2, 8, [&](int64_t first, int64_t last) {
      int64_t right = 0;
      while ((right + 1) * (right + 2) / 2 <= first) ++right;
      int64_t left = first - right * (right + 1) / 2;
      for (int64_t pair = first; pair < last; ++pair) {
        AddGramStrips(strips[left], strips[right], width(left), width(right), features,
                      sum + left * kGramStrip * features + right * kGramStrip);
        if (left++ == right) {
          left = 0;
          ++right;
        }
      }
    });
  }
}

#else

bool HasBf16GramKernel() { return false; }

void AddBf16Gram(const c10::BFloat16* /*rows*/, int64_t /*tokens*/, int64_t /*features*/, float* /*sum*/) {}

#endif

}  // namespace heroq
