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

// Token blocks packed at once. The sums of a square of kSquare x kSquare strips stay in the second-level
// cache while these pass.
constexpr int64_t kDepth = 4;
constexpr int64_t kSquare = 4;

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

  void AddTo(float* sum) const {
    const int64_t squares = (count_ + kSquare - 1) / kSquare;
    // Squares on and above the diagonal, column by column: (0,0), (0,1), (1,1), (0,2), ...
    at::parallel_for(0, squares * (squares + 1) / 2, 1, [&](int64_t first, int64_t last) {
      std::optional<GramTileScope> scope;
      if (turned_ != nullptr) scope.emplace();
      int64_t right = 0;
      while ((right + 1) * (right + 2) / 2 <= first) ++right;
      int64_t left = first - right * (right + 1) / 2;
      for (int64_t square = first; square < last; ++square) {
        AddSquare(left, right, sum);
        if (left++ == right) {
          left = 0;
          ++right;
        }
      }
    });
  }

 private:
  void AddSquare(int64_t left_square, int64_t right_square, float* sum) const {
    for (int64_t block = 0; block < blocks_; ++block) {
      for (int64_t right = right_square * kSquare; right < std::min(count_, (right_square + 1) * kSquare);
           ++right) {
        for (int64_t left = left_square * kSquare;
             left < std::min(right, left_square * kSquare + kSquare - 1) + 1; ++left) {
          AddPair(left, right, block, sum + left * kGramStrip * features_ + right * kGramStrip);
        }
      }
    }
  }

  void AddPair(int64_t left, int64_t right, int64_t block, float* out) const {
    const GramStrip& columns = strips_[right * kDepth + block];
    if (turned_ == nullptr) {
      AddGramStrips(strips_[left * kDepth + block], columns, Width(left), Width(right), features_, out);
    } else {
      AddGramTiles(turned_[left * kDepth + block], columns, Width(left), Width(right), features_, out);
    }
  }

  int64_t Width(int64_t strip) const { return std::min(kGramStrip, features_ - strip * kGramStrip); }

  const int64_t features_;
  const int64_t count_;  // of strips
  int64_t blocks_ = 0;
  std::unique_ptr<GramStrip[]> strips_;  // [strip][block]
  std::unique_ptr<GramTiles[]> turned_;  // the same; null without AMX
};

}  // namespace

void AddBf16Gram(const c10::BFloat16* rows, int64_t tokens, int64_t features, float* sum) {
  PackedRows packed(features);
  for (int64_t begin = 0; begin < tokens; begin += kDepth * kGramBlockTokens) {
    packed.Pack(reinterpret_cast<const uint16_t*>(rows + begin * features),
                std::min(kDepth * kGramBlockTokens, tokens - begin));
    packed.AddTo(sum);
  }
}

#else

bool HasBf16GramKernel() { return false; }

void AddBf16Gram(const c10::BFloat16* /*rows*/, int64_t /*tokens*/, int64_t /*features*/, float* /*sum*/) {}

#endif

}  // namespace heroq
