#include "worker/loading/finite_check.h"

#include <algorithm>
#include <cstdint>

namespace heroq {
namespace {

// A value is finite unless all bits of its exponent are set.
template <typename Word>
int64_t CountFullExponents(const void* data, int64_t count, Word exponent) {
  const Word* words = static_cast<const Word*>(data);
  int64_t total = 0;
  // Runs short enough for the count to fit a word, so that the loop vectorises.
  constexpr int64_t kRun = 4096;
  for (int64_t begin = 0; begin < count; begin += kRun) {
    const int64_t end = std::min(begin + kRun, count);
    Word found = 0;
    for (int64_t i = begin; i < end; ++i)
      found = static_cast<Word>(found + ((words[i] & exponent) == exponent));
    total += static_cast<int64_t>(found);
  }
  return total;
}

}  // namespace

int64_t CountNonFinite(const at::Tensor& tensor) {
  const void* data = tensor.const_data_ptr();
  const int64_t count = tensor.numel();
  switch (tensor.scalar_type()) {
    case at::kBFloat16:
      return CountFullExponents<uint16_t>(data, count, 0x7f80);
    case at::kHalf:
      return CountFullExponents<uint16_t>(data, count, 0x7c00);
    case at::kFloat:
      return CountFullExponents<uint32_t>(data, count, 0x7f800000);
    default:
      return CountFullExponents<uint64_t>(data, count, 0x7ff0000000000000);
  }
}

}  // namespace heroq
