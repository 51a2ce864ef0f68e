#include "common/checkpoint/finite_values.h"

#include <algorithm>
#include <cstring>

namespace heroq {
namespace {

// A value is finite unless all bits of its exponent are set.
template <typename Word>
int64_t CountFullExponents(absl::string_view bytes, Word exponent) {
  const auto count = static_cast<int64_t>(bytes.size() / sizeof(Word));
  int64_t total = 0;
  // Runs short enough for the count to fit a word, so that the loop vectorises.
  constexpr int64_t kRun = 4096;
  for (int64_t begin = 0; begin < count; begin += kRun) {
    const int64_t end = std::min(begin + kRun, count);
    Word found = 0;
    for (int64_t i = begin; i < end; ++i) {
      Word word;
      std::memcpy(&word, bytes.data() + i * sizeof(Word), sizeof(Word));
      found = static_cast<Word>(found + ((word & exponent) == exponent));
    }
    total += static_cast<int64_t>(found);
  }
  return total;
}

}  // namespace

int64_t CountNonFinite(DType dtype, absl::string_view bytes) {
  switch (dtype) {
    case DType::kBf16:
      return CountFullExponents<uint16_t>(bytes, 0x7f80);
    case DType::kF16:
      return CountFullExponents<uint16_t>(bytes, 0x7c00);
    case DType::kF32:
      return CountFullExponents<uint32_t>(bytes, 0x7f800000);
    case DType::kF64:
      return CountFullExponents<uint64_t>(bytes, 0x7ff0000000000000);
    default:
      return 0;
  }
}

}  // namespace heroq
