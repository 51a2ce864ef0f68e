#include "worker/forward/attention_tiles.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "worker/forward/block_kernels.h"

namespace heroq {
namespace {

using c10::BFloat16;

constexpr int64_t kKeyBlock = 64;     // keys that meet a tile at once
constexpr int64_t kValueBlock = 512;  // values that meet a tile at once, as long as there are so many
// Rows of a tile: query positions times the query heads that share a key head.
constexpr int64_t kTileRows = 64;
// Added to the length of a row of scores: rows whose distance is a power of two share few lines of a cache.
constexpr int64_t kRowPadding = 32;

// Word (pair, column) holds rows 2 pair and 2 pair + 1 of the right factor.
struct Bf16Pairs {
  using Element = BFloat16;
  static constexpr bool kPairs = true;

  // The block's columns are keys, its rows their channels.
  static void PackKeys(const BFloat16* keys, int64_t stride, int64_t count, int64_t width, Element* block) {
    for (int64_t key = 0; key < count; ++key) {
      for (int64_t channel = 0; channel < width; ++channel) {
        block[(channel / 2 * kKeyBlock + key) * 2 + channel % 2] = keys[key * stride + channel];
      }
    }
  }
  static void PackValues(const BFloat16* values, int64_t stride, int64_t count, int64_t width,
                         Element* block) {
    for (int64_t key = 0; key < count; ++key) {
      Element* to = block + key / 2 * width * 2 + key % 2;
      for (int64_t channel = 0; channel < width; ++channel) to[2 * channel] = values[key * stride + channel];
    }
  }
  static float Softmax(const BlockKernels& kernels, float* scores, float scale, int64_t valid,
                       int64_t width) {
    return kernels.softmax_bf16(scores, scale, valid, width, reinterpret_cast<uint16_t*>(scores));
  }
};

struct Floats {
  using Element = float;
  static constexpr bool kPairs = false;

  static void PackKeys(const BFloat16* keys, int64_t stride, int64_t count, int64_t width, Element* block) {
    for (int64_t key = 0; key < count; ++key) {
      for (int64_t channel = 0; channel < width; ++channel) {
        block[channel * kKeyBlock + key] = keys[key * stride + channel];
      }
    }
  }
  static void PackValues(const BFloat16* values, int64_t stride, int64_t count, int64_t width,
                         Element* block) {
    for (int64_t key = 0; key < count; ++key) {
      std::copy_n(values + key * stride, width, block + key * width);
    }
  }
  static float Softmax(const BlockKernels& kernels, float* scores, float scale, int64_t valid,
                       int64_t width) {
    return kernels.softmax_f32(scores, scale, valid, width);
  }
};

template <typename Form>
class Attention {
 public:
  using Element = typename Form::Element;

  Attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value)
      : query_(query.contiguous()),
        sequences_(query.size(0)),
        length_(query.size(1)),
        heads_(query.size(2)),
        width_(query.size(3)),
        kv_heads_(key.size(2)),
        group_(heads_ / kv_heads_),
        positions_(std::max<int64_t>(1, kTileRows / group_)),
        padded_((length_ + kKeyBlock - 1) / kKeyBlock * kKeyBlock),
        kernels_(BlockKernelsFor(BestIsa())) {
    Pack(key.contiguous(), value.contiguous());
  }

  at::Tensor Run() const {
    at::Tensor mixed = at::empty({sequences_, length_, heads_ * width_}, query_.options());
    const int64_t tiles = (length_ + positions_ - 1) / positions_;
    at::parallel_for(0, sequences_ * kv_heads_ * tiles, 1, [&](int64_t first, int64_t last) {
      Scratch scratch(*this);
      for (int64_t item = first; item < last; ++item) {
        // Long tiles next to short ones: threads get ranges of tiles, and equal work with them.
        const int64_t turn = item % tiles, tile = turn % 2 == 0 ? turn / 2 : tiles - 1 - turn / 2;
        RunTile(item / tiles, tile * positions_, scratch, mixed);
      }
      if (Form::kPairs) at::native::cpublas::brgemm_release();
    });
    return mixed;
  }

 private:
  // Of one thread. Rows past the last position of a sequence hold whatever is there.
  struct Scratch {
    explicit Scratch(const Attention& attention)
        : queries(at::zeros({attention.rows(), attention.width_}, c10::CppTypeToScalarType<Element>::value)),
          scores(at::zeros({attention.rows(), attention.padded_ + kRowPadding}, at::kFloat)),
          sums(at::empty({attention.rows()}, at::kFloat)),
          mixed(at::empty({attention.rows(), attention.width_}, at::kFloat)) {}
    const at::Tensor queries, scores, sums, mixed;
  };

  // In whole tile registers.
  int64_t rows() const { return (positions_ * group_ + 15) / 16 * 16; }

  void Pack(const at::Tensor& key, const at::Tensor& value) {
    const int64_t batch = sequences_ * kv_heads_, blocks = padded_ / kKeyBlock;
    const auto type = c10::CppTypeToScalarType<Element>::value;
    keys_ = at::zeros({batch, padded_ * width_}, type);
    values_ = at::zeros({batch, padded_ * width_}, type);
    const auto* const from_keys = key.const_data_ptr<BFloat16>();
    const auto* const from_values = value.const_data_ptr<BFloat16>();
    auto* const to_keys = keys_.template mutable_data_ptr<Element>();
    auto* const to_values = values_.template mutable_data_ptr<Element>();
    const int64_t stride = kv_heads_ * width_;
    at::parallel_for(0, batch * blocks, 16, [&](int64_t first, int64_t last) {
      for (int64_t item = first; item < last; ++item) {
        const int64_t pair = item / blocks, begin = item % blocks * kKeyBlock;
        const int64_t from = (pair / kv_heads_ * length_ + begin) * stride + pair % kv_heads_ * width_;
        const int64_t to = (pair * padded_ + begin) * width_;
        const int64_t count = std::min(kKeyBlock, length_ - begin);
        Form::PackKeys(from_keys + from, stride, count, width_, to_keys + to);
        Form::PackValues(from_values + from, stride, count, width_, to_values + to);
      }
    });
  }

  // c [rows, n], rows `c_stride` apart, (+)= a [rows, k] b.
  void Multiply(int64_t n, int64_t k, const Element* a, int64_t a_stride, const Element* b, float* c,
                int64_t c_stride, bool add) const {
    at::native::cpublas::brgemm(rows(), n, k, a_stride, n, c_stride, add, a, b, c, Form::kPairs);
  }

  // Query positions from `begin` of one sequence and key head.
  void RunTile(int64_t pair, int64_t begin, const Scratch& scratch, const at::Tensor& out) const {
    const int64_t size = std::min(positions_, length_ - begin);
    const int64_t keys = (begin + size + kKeyBlock - 1) / kKeyBlock * kKeyBlock;
    const int64_t row_length = padded_ + kRowPadding;
    const int64_t offset =
        (pair / kv_heads_ * length_ + begin) * heads_ * width_ + pair % kv_heads_ * group_ * width_;
    auto* const queries = scratch.queries.template mutable_data_ptr<Element>();
    auto* const scores = scratch.scores.template mutable_data_ptr<float>();
    auto* const mixed = scratch.mixed.template mutable_data_ptr<float>();

    const auto* const from = query_.const_data_ptr<BFloat16>() + offset;
    for (int64_t position = 0; position < size; ++position) {
      std::copy_n(from + position * heads_ * width_, group_ * width_, queries + position * group_ * width_);
    }
    const auto* const right = keys_.template const_data_ptr<Element>() + pair * padded_ * width_;
    for (int64_t key = 0; key < keys; key += kKeyBlock) {
      Multiply(kKeyBlock, width_, queries, width_, right + key * width_, scores + key, row_length, false);
    }

    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(width_)));
    auto* const sums = scratch.sums.template mutable_data_ptr<float>();
    for (int64_t row = 0; row < size * group_; ++row) {
      sums[row] = Form::Softmax(kernels_, scores + row * row_length, scale, begin + row / group_ + 1, keys);
    }

    const auto* const weights = reinterpret_cast<const Element*>(scores);
    // Rows of weights begin where rows of scores did.
    const int64_t stride = Form::kPairs ? 2 * row_length : row_length;
    const auto* const values = values_.template const_data_ptr<Element>() + pair * padded_ * width_;
    for (int64_t key = 0; key < keys;) {
      const int64_t count = keys - key >= kValueBlock ? kValueBlock : kKeyBlock;
      Multiply(width_, count, weights + key, stride, values + key * width_, mixed, width_, key > 0);
      key += count;
    }

    auto* const to = reinterpret_cast<uint16_t*>(out.mutable_data_ptr<BFloat16>()) + offset;
    for (int64_t row = 0; row < size * group_; ++row) {
      kernels_.scale_to_bf16(mixed + row * width_, 1 / sums[row], width_,
                             to + row / group_ * heads_ * width_ + row % group_ * width_);
    }
  }

  const at::Tensor query_;
  const int64_t sequences_, length_, heads_, width_, kv_heads_, group_;
  const int64_t positions_;  // of a tile
  const int64_t padded_;     // length in whole blocks of keys
  const BlockKernels& kernels_;
  at::Tensor keys_;    // [sequences * kv_heads][block][as packed]
  at::Tensor values_;  // the same
};

// oneDNN has the last word: the environment may leave it fewer instructions than the processor has.
bool AskForPairs() {
#ifdef HEROQ_X86_KERNELS
  if (!__builtin_cpu_supports("avx512bf16")) return false;
  try {
    const BFloat16 ones[64] = {};
    float sum[16];
    at::native::cpublas::brgemm(1, 16, 2, 2, 16, 16, false, ones, ones, sum, true);
    at::native::cpublas::brgemm_release();
    return true;
  } catch (const std::exception&) {
    return false;
  }
#else
  return false;
#endif
}

}  // namespace

bool IsSupported(TileForm form) {
  static const bool pairs = AskForPairs();
  return form == TileForm::kFloat || pairs;
}

at::Tensor TiledCausalAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                                TileForm form) {
  if (form == TileForm::kBf16Pairs) return Attention<Bf16Pairs>(query, key, value).Run();
  return Attention<Floats>(query, key, value).Run();
}

}  // namespace heroq
