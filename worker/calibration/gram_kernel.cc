#include "worker/calibration/gram_kernel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "worker/calibration/gram_strips.h"
#include "worker/calibration/gram_tiles.h"

namespace heroq {

#ifdef HEROQ_X86_KERNELS

bool HasBf16GramKernel() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bf16");
}

namespace {

// Token blocks packed at once.
constexpr int64_t kDepth = 4;

// The sums of a square of strips over the blocks of a pass. They have memory of their own, which stays in the
// second-level cache: rows of the whole matrix may be a power of two apart and share few lines of it.
struct alignas(64) Square {
  float sums[kGramSide * kGramSide];
};

// Rows of one pass, packed.
class PackedRows {
 public:
  explicit PackedRows(int64_t features)
      : features_(features),
        count_((features + kGramStrip - 1) / kGramStrip),
        strips_(std::make_unique_for_overwrite<GramStrip[]>(static_cast<size_t>(count_ * kDepth))),
        turned_(HasGramTiles()
                    ? std::make_unique_for_overwrite<GramTiles[]>(static_cast<size_t>(count_ * kDepth))
                    : nullptr) {}

  // At most kDepth blocks of tokens.
  void Pack(const uint16_t* rows, int64_t tokens) {
    blocks_ = (tokens + kGramBlockTokens - 1) / kGramBlockTokens;
    at::parallel_for(0, count_, 4, [&](int64_t first, int64_t last) {
      for (int64_t strip = first; strip < last; ++strip) {
        for (int64_t block = 0; block < blocks_; ++block) {
          const int64_t token = block * kGramBlockTokens;
          GramStrip& packed = strips_[strip * kDepth + block];
          PackGramStrip(rows + token * features_, std::min(kGramBlockTokens, tokens - token),
                        strip * kGramStrip, features_, packed);
          if (turned_ != nullptr) TurnGramStrip(packed, turned_[strip * kDepth + block]);
        }
      }
    });
  }

  void AddTo(bool first_sum, float* sum) const {
    const int64_t squares = (count_ + kGramSquare - 1) / kGramSquare;
    // Squares on and above the diagonal, column by column: (0,0), (0,1), (1,1), (0,2), ...
    at::parallel_for(0, squares * (squares + 1) / 2, 1, [&](int64_t first, int64_t last) {
      std::optional<GramTileScope> scope;
      if (turned_ != nullptr) scope.emplace();
      const auto sums = std::make_unique_for_overwrite<Square>();
      int64_t right = 0;
      while ((right + 1) * (right + 2) / 2 <= first) ++right;
      int64_t left = first - right * (right + 1) / 2;
      for (int64_t square = first; square < last; ++square) {
        SumSquare(left, right, *sums);
        if (first_sum) {
          Copy(*sums, left * kGramSide, right * kGramSide, sum);
        } else {
          Add(*sums, left * kGramSide, right * kGramSide, sum);
        }
        if (left++ == right) {
          left = 0;
          ++right;
        }
      }
    });
  }

 private:
  void SumSquare(int64_t left_square, int64_t right_square, Square& square) const {
    std::fill_n(square.sums, kGramSide * kGramSide, 0.0f);
    const int64_t first_left = left_square * kGramSquare, first_right = right_square * kGramSquare;
    for (int64_t block = 0; block < blocks_; ++block) {
      for (int64_t right = first_right; right < std::min(count_, first_right + kGramSquare); ++right) {
        for (int64_t left = first_left; left <= std::min(right, first_left + kGramSquare - 1); ++left) {
          float* const sums =
              square.sums + (left - first_left) * kGramStrip * kGramSide + (right - first_right) * kGramStrip;
          AddPair(left, right, block, sums);
        }
      }
    }
  }

  void AddPair(int64_t left, int64_t right, int64_t block, float* sums) const {
    const GramStrip& columns = strips_[right * kDepth + block];
    if (turned_ == nullptr) {
      AddGramStrips(strips_[left * kDepth + block], columns, sums);
    } else {
      AddGramTiles(turned_[left * kDepth + block], columns, sums);
    }
  }

  void Add(const Square& square, int64_t row, int64_t column, float* sum) const {
    const int64_t rows = std::min(kGramSide, features_ - row);
    const int64_t columns = std::min(kGramSide, features_ - column);
    float* const to = sum + row * features_ + column;
    for (int64_t r = 0; r < rows; ++r) {
      // Rows lie in pages of their own, and processors foresee nothing beyond a page.
      constexpr int64_t kAhead = 16, kLine = 16;
      for (int64_t c = 0; r + kAhead < rows && c < columns; c += kLine) {
        __builtin_prefetch(to + (r + kAhead) * features_ + c, 1);
      }
      const float* const from = square.sums + r * kGramSide;
      for (int64_t c = 0; c < columns; ++c) to[r * features_ + c] += from[c];
    }
  }

  void Copy(const Square& square, int64_t row, int64_t column, float* sum) const {
    const int64_t rows = std::min(kGramSide, features_ - row);
    const int64_t columns = std::min(kGramSide, features_ - column);
    for (int64_t r = 0; r < rows; ++r) {
      std::copy_n(square.sums + r * kGramSide, columns, sum + (row + r) * features_ + column);
    }
  }

  const int64_t features_;
  const int64_t count_;  // of strips
  int64_t blocks_ = 0;
  std::unique_ptr<GramStrip[]> strips_;  // [strip][block]
  std::unique_ptr<GramTiles[]> turned_;  // the same; null without AMX
};

}  // namespace

void AddBf16Gram(const c10::BFloat16* rows, int64_t tokens, int64_t features, bool first, float* sum) {
  PackedRows packed(features);
  for (int64_t begin = 0; begin < tokens; begin += kDepth * kGramBlockTokens) {
    packed.Pack(reinterpret_cast<const uint16_t*>(rows + begin * features),
                std::min(kDepth * kGramBlockTokens, tokens - begin));
    packed.AddTo(first && begin == 0, sum);
  }
}

#else

bool HasBf16GramKernel() { return false; }

void AddBf16Gram(const c10::BFloat16* /*rows*/, int64_t /*tokens*/, int64_t /*features*/, bool /*first*/,
                 float* /*sum*/) {}

#endif

}  // namespace heroq
