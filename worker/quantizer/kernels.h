#pragma once

#include <cstdint>

#include "worker/device/isa.h"

// Nothing else is included (worker/device/isa.h).
namespace heroq {

// Rows (output channels) that are worked on side by side, one per vector lane. A strip stores a matrix slice
// [columns][kStripRows] with the rows contiguous. A strip of float64 has half as many lanes and the same
// bytes.
inline constexpr int64_t kStripRows = 48;
inline constexpr int64_t kStripBytes = 192;
// Columns (input channels) of one register tile.
inline constexpr int64_t kTileColumns = 8;
// Columns of one diagonal block of the factorisation: one float32 strip, two float64 strips.
inline constexpr int64_t kDiagonalBlock = 48;

// Rounds float32 to the type scales are stored in (values stay float32).
enum class ScaleRounding { kBf16, kF16 };

// The last step of a tile of GPTQ: 8 columns of one strip whose feedback from earlier columns is in `target`.
struct QuantizeTileArguments {
  int64_t columns;              // 1..kTileColumns
  float* weight;                // [columns][48]; in: weight, out: weight - dequantized
  float* target;                // [8][48]; in: weight plus the feedback of all earlier tiles; clobbered
  const float* feedback;        // [8][8]: U_ij / U_jj, row i earlier than column j
  const float* const* scale;    // per column [48]
  const float* const* inverse;  // per column [48]: 1 / scale
  const float* const* zero;     // per column [48]: zero point
  const float* pivot;           // per column: U_jj^2
  float max_code;
  uint8_t* codes;  // [columns][48]
  float* loss;     // [48] += sum_j U_jj^2 (target_j - dequantized_j)^2
  float* error;    // [48] += sum_j (weight_j - dequantized_j)^2
};

// One group of one strip: the best scale and zero point per row, starting from shares of the min-max range.
struct SearchScalesArguments {
  int64_t columns;          // columns of the group
  const float* weight;      // [columns][48]
  const float* importance;  // [columns], h_j, positive
  const float* shares;      // [share_count], the first is the one kept on ties
  int64_t share_count;      // at least 1
  float max_code;
  float middle_code;
  bool symmetric;
  ScaleRounding rounding;
  float zero_range_scale;  // scale of a group that is zero or too small for the stored type
  // fit_scales only: rounds of assignment and refit, the share of a refit that is taken, and what is added to
  // the weighted variance of the codes (to their mean square about a zero point that is held).
  int rounds;
  float step;
  float damping;
  bool free_offset;  // zero points are any real numbers and scales any float32: dense weights only
  float* scale;      // out [48]
  float* zero;       // out [48], an integer in 0..max_code unless free_offset
  float* chosen;     // out [48], the share of the min-max range that was chosen or fitted
};

// One tile of one strip, dense loops over vector lanes. Pointers to strips are 64-byte aligned. Every variant
// adds the terms of an element in the same order; AVX2 and AVX-512 fuse multiply and add and agree to the
// bit, portable does not fuse.
struct Kernels {
  // c[8][48] (rows `stride` elements apart) += sum_k a[k][8] b[k][48].
  void (*multiply_tile_f32)(int64_t depth, const float* a, const float* b, float* c, int64_t stride);
  // The same with 24 lanes.
  void (*multiply_tile_f64)(int64_t depth, const double* a, const double* b, double* c, int64_t stride);
  void (*quantize_tile)(const QuantizeTileArguments& arguments);
  // The shares as they are; one share costs no error evaluation.
  void (*search_scales)(const SearchScalesArguments& arguments);
  // Every share refined by weighted least squares (fit_templates.h).
  void (*fit_scales)(const SearchScalesArguments& arguments);
  // rows[8][48] (24 lanes for float64, rows `stride` apart) := X with triangle^T X = rows; triangle [8][8]
  // lower.
  void (*solve_tile_f32)(const float* triangle, int64_t triangle_stride, float* rows, int64_t stride);
  void (*solve_tile_f64)(const double* triangle, int64_t triangle_stride, double* rows, int64_t stride);
  // In place on the lower triangle of a [48][48] block (rows `stride` apart): A = S^T S, S lower. False if a
  // pivot is not positive and finite.
  bool (*factor_block_f32)(float* block, int64_t stride);
  bool (*factor_block_f64)(double* block, int64_t stride);
};

// `isa` must be supported.
const Kernels& KernelsFor(Isa isa);

}  // namespace heroq
