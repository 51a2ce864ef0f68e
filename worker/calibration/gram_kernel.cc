#include "worker/calibration/gram_kernel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "worker/calibration/gram_strips.h"
#include "worker/calibration/gram_tiles.h"
#include "worker/calibration/packed_statistics.h"

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
    tokens_ = tokens;
    at::parallel_for(0, count_, 4, [&](int64_t first, int64_t last) {
      for (int64_t strip = first; strip < last; ++strip) {
        for (int64_t block = 0; block < Blocks(); ++block) {
          GramStrip& packed = strips_[strip * kDepth + block];
          PackGramStrip(rows + block * kGramBlockTokens * features_, TokensOf(block), strip * kGramStrip,
                        features_, packed);
          if (turned_ != nullptr) TurnGramStrip(packed, turned_[strip * kDepth + block]);
        }
      }
    });
  }

  // Squares on and above the diagonal.
  int64_t squares() const {
    const int64_t side = (count_ + kGramSquare - 1) / kGramSquare;
    return side * (side + 1) / 2;
  }

  // Calls use(square, sums, row, column) with every square of sums, its number and where it begins; on any
  // thread.
  template <typename Use>
  void ForSquares(const Use& use) const {
    // Column by column: (0,0), (0,1), (1,1), (0,2), ...
    at::parallel_for(0, squares(), 1, [&](int64_t first, int64_t last) {
      std::optional<GramTileScope> scope;
      if (turned_ != nullptr) scope.emplace();
      const auto sums = std::make_unique_for_overwrite<Square>();
      int64_t right = 0;
      while ((right + 1) * (right + 2) / 2 <= first) ++right;
      int64_t left = first - right * (right + 1) / 2;
      for (int64_t square = first; square < last; ++square) {
        SumSquare(left, right, *sums);
        use(square, *sums, left * kGramSide, right * kGramSide);
        if (left++ == right) {
          left = 0;
          ++right;
        }
      }
    });
  }

 private:
  int64_t Blocks() const { return (tokens_ + kGramBlockTokens - 1) / kGramBlockTokens; }
  int64_t TokensOf(int64_t block) const {
    return std::min(kGramBlockTokens, tokens_ - block * kGramBlockTokens);
  }

  void SumSquare(int64_t left_square, int64_t right_square, Square& square) const {
    std::fill_n(square.sums, kGramSide * kGramSide, 0.0f);
    const int64_t first_left = left_square * kGramSquare, first_right = right_square * kGramSquare;
    for (int64_t block = 0; block < Blocks(); ++block) {
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
      AddGramStrips(strips_[left * kDepth + block], columns, (TokensOf(block) + 1) / 2, sums);
    } else {
      AddGramTiles(turned_[left * kDepth + block], columns, sums);
    }
  }

  const int64_t features_;
  const int64_t count_;  // of strips
  int64_t tokens_ = 0;
  std::unique_ptr<GramStrip[]> strips_;  // [strip][block]
  std::unique_ptr<GramTiles[]> turned_;  // the same; null without AMX
};

// Calls use(row, column, length, values) with the part of each row of `square` that is on or above the
// diagonal of a matrix of so many features.
template <typename Use>
void ForRows(const Square& square, int64_t row, int64_t column, int64_t features, const Use& use) {
  const int64_t end = std::min(column + kGramSide, features);
  for (int64_t r = row; r < std::min(row + kGramSide, features); ++r) {
    const int64_t first = std::max(column, r);
    use(r, first, end - first, square.sums + (r - row) * kGramSide + first - column);
  }
}

// Calls use with the rows of each pass, packed, and whether it is the first.
template <typename Use>
void ForPasses(const c10::BFloat16* rows, int64_t tokens, int64_t features, const Use& use) {
  PackedRows packed(features);
  for (int64_t begin = 0; begin < tokens; begin += kDepth * kGramBlockTokens) {
    packed.Pack(reinterpret_cast<const uint16_t*>(rows + begin * features),
                std::min(kDepth * kGramBlockTokens, tokens - begin));
    use(packed, begin == 0);
  }
}

}  // namespace

void AddBf16Gram(const c10::BFloat16* rows, int64_t tokens, int64_t features, bool first, float* upper) {
  ForPasses(rows, tokens, features, [&](const PackedRows& packed, bool first_pass) {
    packed.ForSquares([&](int64_t /*square*/, const Square& sums, int64_t row, int64_t column) {
      ForRows(sums, row, column, features, [&](int64_t r, int64_t c, int64_t length, const float* from) {
        float* const to = upper + UpperIndex(r, c, features);
        if (first && first_pass) {
          std::copy_n(from, length, to);
          return;
        }
        // Rows lie in pages of their own, and processors foresee nothing beyond a page.
        constexpr int64_t kAhead = 16, kLine = 16;
        const int64_t ahead = UpperIndex(std::min(r + kAhead, c), c, features) - UpperIndex(r, c, features);
        for (int64_t i = 0; i < length; i += kLine) __builtin_prefetch(to + ahead + i, 1);
        for (int64_t i = 0; i < length; ++i) to[i] += from[i];
      });
    });
  });
}

double Bf16GramDot(const c10::BFloat16* rows, int64_t tokens, int64_t features, const float* matrix) {
  double total = 0;
  ForPasses(rows, tokens, features, [&](const PackedRows& packed, bool /*first_pass*/) {
    std::vector<double> parts(static_cast<size_t>(packed.squares()));
    packed.ForSquares([&](int64_t square, const Square& sums, int64_t row, int64_t column) {
      ForRows(sums, row, column, features, [&](int64_t r, int64_t c, int64_t length, const float* from) {
        const float* const with = matrix + r * features + c;
        // Off the diagonal everything counts twice.
        parts[square] +=
            2 * DotProduct(from, with, length) - (c == r ? static_cast<double>(*from) * *with : 0.0);
      });
    });
    total += std::accumulate(parts.begin(), parts.end(), 0.0);
  });
  return total;
}

#else

bool HasBf16GramKernel() { return false; }

void AddBf16Gram(const c10::BFloat16* /*rows*/, int64_t /*tokens*/, int64_t /*features*/, bool /*first*/,
                 float* /*upper*/) {}

double Bf16GramDot(const c10::BFloat16* /*rows*/, int64_t /*tokens*/, int64_t /*features*/,
                   const float* /*matrix*/) {
  return 0;
}

#endif

}  // namespace heroq
