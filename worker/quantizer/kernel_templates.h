#pragma once

#include "worker/quantizer/kernels.h"

// The kernels, written once over GCC vector extensions. Included only by kernels_<isa>.cc, each compiled with
// the flags of its instruction set; everything has internal linkage so that no variant can replace another at
// link time.
namespace heroq {
namespace {

template <typename T, int kBytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes), may_alias));
};

// c[kRows][kVectors] += a b with all sums in registers.
template <typename T, int kBytes, int kRows, int kVectors>
__attribute__((always_inline)) inline void MultiplyRegisters(int64_t depth, const T* a, const T* b, T* c,
                                                             int64_t stride) {
  using Vector = typename VectorOf<T, kBytes>::type;
  constexpr int kLanes = kBytes / sizeof(T);
  constexpr int64_t kStrip = kStripBytes / sizeof(T);
  Vector sum[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = *reinterpret_cast<const Vector*>(c + r * stride + v * kLanes);
  }
  for (int64_t k = 0; k < depth; ++k) {
    Vector right[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      right[v] = *reinterpret_cast<const Vector*>(b + k * kStrip + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] += a[k * kTileColumns + r] * right[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) *reinterpret_cast<Vector*>(c + r * stride + v * kLanes) = sum[r][v];
  }
}

// kRows x kVectors sums are held at a time; the tile is covered by as many such pieces as it takes.
template <typename T, int kBytes, int kRows, int kVectors>
void MultiplyTile(int64_t depth, const T* a, const T* b, T* c, int64_t stride) {
  constexpr int kWidth = kVectors * kBytes / static_cast<int>(sizeof(T));
  constexpr int kStrip = kStripBytes / sizeof(T);
  for (int r = 0; r < kTileColumns; r += kRows) {
    for (int v = 0; v < kStrip; v += kWidth) {
      MultiplyRegisters<T, kBytes, kRows, kVectors>(depth, a + r, b + v, c + r * stride + v, stride);
    }
  }
}

template <typename Vector>
__attribute__((always_inline)) inline Vector Clamp(Vector value, float low, float high) {
  const Vector lows = Vector{} + low;
  const Vector highs = Vector{} + high;
  value = value > lows ? value : lows;
  return value < highs ? value : highs;
}

// Adding 1.5 * 2^23 to |value| < 2^22 leaves no fraction bits: it rounds to nearest even.
constexpr float kRoundingShift = 12582912.0f;

template <typename Vector>
__attribute__((always_inline)) inline Vector RoundToInteger(Vector value) {
  return (value + kRoundingShift) - kRoundingShift;
}

// Clamps a code to which kRoundingShift is added, which is what rounds it. Floats of that size are ordered as
// their bits are and are one apart as their bits are; integers have a minimum and a maximum in one
// instruction.
template <typename Vector>
__attribute__((always_inline)) inline Vector ClampShifted(Vector shifted, float max_code) {
  using Bits = typename VectorOf<int32_t, sizeof(Vector)>::type;
  const Bits low = Bits{} + 0x4B400000;  // kRoundingShift
  const Bits high = low + static_cast<int32_t>(max_code);
  Bits bits = reinterpret_cast<Bits>(shifted);
  bits = bits > low ? bits : low;
  bits = bits < high ? bits : high;
  return reinterpret_cast<Vector>(bits);
}

// Whether a comparison holds in any lane.
template <int kBytes, typename Mask>
__attribute__((always_inline)) inline bool AnyLane(const Mask& mask) {
  uint64_t words[kBytes / 8];
  __builtin_memcpy(words, &mask, kBytes);
  uint64_t any = 0;
  for (int i = 0; i < kBytes / 8; ++i) any |= words[i];
  return any != 0;
}

template <int kBytes>
void QuantizeTile(const QuantizeTileArguments& arguments) {
  using Vector = typename VectorOf<float, kBytes>::type;
  constexpr int kLanes = kBytes / sizeof(float);
  typedef uint8_t Bytes __attribute__((vector_size(kLanes), may_alias));
  for (int64_t lane = 0; lane < kStripRows; lane += kLanes) {
    Vector loss = *reinterpret_cast<Vector*>(arguments.loss + lane);
    Vector error = *reinterpret_cast<Vector*>(arguments.error + lane);
    for (int64_t j = 0; j < arguments.columns; ++j) {
      const Vector target = *reinterpret_cast<Vector*>(arguments.target + j * kStripRows + lane);
      const Vector scale = *reinterpret_cast<const Vector*>(arguments.scale[j] + lane);
      const Vector inverse = *reinterpret_cast<const Vector*>(arguments.inverse[j] + lane);
      const Vector zero = *reinterpret_cast<const Vector*>(arguments.zero[j] + lane);
      Vector* weight = reinterpret_cast<Vector*>(arguments.weight + j * kStripRows + lane);
      const Vector code =
          ClampShifted((target * inverse + zero) + kRoundingShift, arguments.max_code) - kRoundingShift;
      const Vector dequantized = (code - zero) * scale;
      const Vector step = target - dequantized;
      const Vector difference = *weight - dequantized;
      loss += arguments.pivot[j] * (step * step);
      error += difference * difference;
      *weight = difference;
      *reinterpret_cast<Bytes*>(arguments.codes + j * kStripRows + lane) =
          __builtin_convertvector(code, Bytes);
      for (int64_t later = j + 1; later < arguments.columns; ++later) {
        Vector* sum = reinterpret_cast<Vector*>(arguments.target + later * kStripRows + lane);
        *sum += arguments.feedback[j * kTileColumns + later] * difference;
      }
    }
    *reinterpret_cast<Vector*>(arguments.loss + lane) = loss;
    *reinterpret_cast<Vector*>(arguments.error + lane) = error;
  }
}

// To the stored type and back: round to nearest even on the bit pattern; float16 below its normal range by
// adding a power of two whose last bit is float16's last bit. Values are not negative and finite.
template <int kBytes>
__attribute__((always_inline)) inline typename VectorOf<float, kBytes>::type RoundScale(
    typename VectorOf<float, kBytes>::type scale, ScaleRounding rounding) {
  using Vector = typename VectorOf<float, kBytes>::type;
  typedef uint32_t Bits __attribute__((vector_size(kBytes)));
  const int dropped = rounding == ScaleRounding::kBf16 ? 16 : 13;
  Bits bits = reinterpret_cast<Bits>(scale);
  bits += ((1u << (dropped - 1)) - 1) + ((bits >> dropped) & 1u);
  bits &= ~((1u << dropped) - 1u);
  const Vector rounded = reinterpret_cast<Vector>(bits);
  if (rounding == ScaleRounding::kBf16) return rounded;
  constexpr float kSmallestNormal = 6.103515625e-05f;  // 2^-14
  constexpr float kSubnormalShift = 0.5f;              // ulp 2^-24
  const Vector subnormal = (scale + kSubnormalShift) - kSubnormalShift;
  return scale < Vector{} + kSmallestNormal ? subnormal : rounded;
}

template <int kBytes>
void SearchScales(const SearchScalesArguments& arguments) {
  using Vector = typename VectorOf<float, kBytes>::type;
  constexpr int kLanes = kBytes / sizeof(float);
  const float levels = arguments.max_code;
  for (int64_t lane = 0; lane < kStripRows; lane += kLanes) {
    Vector low = Vector{};
    Vector high = Vector{};
    for (int64_t j = 0; j < arguments.columns; ++j) {
      const Vector weight = *reinterpret_cast<const Vector*>(arguments.weight + j * kStripRows + lane);
      low = weight < low ? weight : low;
      high = weight > high ? weight : high;
    }
    Vector range = high - low;
    if (arguments.symmetric) {
      high = -low > high ? -low : high;
      range = high;
    }
    const float divisor = arguments.symmetric ? levels / 2 : levels;
    const Vector base = range / divisor;
    const Vector no_range = Vector{} + arguments.zero_range_scale;
    Vector zero = Vector{} + arguments.middle_code;
    if (!arguments.symmetric) {
      const Vector offset =
          Clamp(-arguments.middle_code - low / base, -arguments.middle_code, levels - arguments.middle_code);
      zero = base > Vector{} ? RoundToInteger(offset) + arguments.middle_code : zero;
    }
    const Vector shifted_zero = zero + kRoundingShift;
    Vector best_scale = Vector{};
    Vector best_error = Vector{};
    Vector best_shrink = Vector{};
    for (int64_t candidate = 0; candidate < arguments.share_count; ++candidate) {
      Vector scale = RoundScale<kBytes>(base * arguments.shares[candidate], arguments.rounding);
      scale = scale > Vector{} ? scale : no_range;
      const Vector shrink = Vector{} + arguments.shares[candidate];
      Vector error = Vector{};
      if (arguments.share_count > 1) {
        const Vector inverse = 1.0f / scale;
        for (int64_t j = 0; j < arguments.columns; ++j) {
          const Vector weight = *reinterpret_cast<const Vector*>(arguments.weight + j * kStripRows + lane);
          const Vector shifted = ClampShifted((weight * inverse + zero) + kRoundingShift, levels);
          const Vector difference = weight - (shifted - shifted_zero) * scale;
          error += arguments.importance[j] * (difference * difference);
        }
      }
      const auto better = candidate == 0 ? error == error : error < best_error;
      best_scale = better ? scale : best_scale;
      best_error = better ? error : best_error;
      best_shrink = better ? shrink : best_shrink;
    }
    *reinterpret_cast<Vector*>(arguments.scale + lane) = best_scale;
    *reinterpret_cast<Vector*>(arguments.zero + lane) = zero;
    *reinterpret_cast<Vector*>(arguments.chosen + lane) = best_shrink;
  }
}

// Right-looking from the last row up: row c of S, then A[j][i] -= S[c][j] S[c][i] for i <= j < c.
template <typename T>
bool FactorBlock(T* block, int64_t stride) {
  for (int64_t c = kDiagonalBlock - 1; c >= 0; --c) {
    T* row = block + c * stride;
    const T pivot = row[c];
    if (!(pivot > 0) || !(pivot < static_cast<T>(3e38))) return false;
    const T root = static_cast<T>(__builtin_sqrt(pivot));
    const T inverse = 1 / root;
    row[c] = root;
    for (int64_t i = 0; i < c; ++i) row[i] *= inverse;
    for (int64_t j = 0; j < c; ++j) {
      T* target = block + j * stride;
      const T factor = row[j];
      for (int64_t i = 0; i <= j; ++i) target[i] -= factor * row[i];
    }
  }
  return true;
}

// The last step of a tile of the triangular solve: rows[j] = (rows[j] - sum_{k > j} S[k][j] rows[k]) /
// S[j][j].
template <typename T, int kBytes>
void SolveTile(const T* triangle, int64_t triangle_stride, T* rows, int64_t stride) {
  using Vector = typename VectorOf<T, kBytes>::type;
  constexpr int kLanes = kBytes / sizeof(T);
  T inverse[kTileColumns];
  for (int64_t j = 0; j < kTileColumns; ++j) inverse[j] = 1 / triangle[j * triangle_stride + j];
  for (int64_t lane = 0; lane < kStripBytes / static_cast<int64_t>(sizeof(T)); lane += kLanes) {
    for (int64_t k = kTileColumns - 1; k >= 0; --k) {
      Vector* solved = reinterpret_cast<Vector*>(rows + k * stride + lane);
      const Vector value = *solved * inverse[k];
      *solved = value;
      for (int64_t j = 0; j < k; ++j) {
        *reinterpret_cast<Vector*>(rows + j * stride + lane) -= triangle[k * triangle_stride + j] * value;
      }
    }
  }
}

}  // namespace
}  // namespace heroq
