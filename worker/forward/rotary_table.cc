#include "worker/forward/rotary_table.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>

#include "worker/forward/bf16_rows.h"

namespace heroq {
namespace {

at::Tensor Llama3Frequencies(const at::Tensor& frequencies, const RopeConfig& rope) {
  const auto original = static_cast<double>(rope.original_max_positions);
  const at::Tensor wavelengths = (2 * M_PI) / frequencies;
  const at::Tensor blend =
      (original / wavelengths - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
  const at::Tensor blended = (1 - blend) * frequencies / rope.factor + blend * frequencies;
  const at::Tensor slow =
      at::where(wavelengths > original / rope.low_freq_factor, frequencies / rope.factor, blended);
  return at::where(wavelengths < original / rope.high_freq_factor, frequencies, slow);
}

// Inverse frequencies [head_dim / 2], float32, on the CPU.
at::Tensor Frequencies(const ModelLayout& layout, int64_t length) {
  const RopeConfig& rope = layout.rope;
  const auto width = static_cast<double>(layout.head_dim);
  double base = rope.theta;
  if (rope.kind == RopeKind::kDynamic) {
    const auto limit = static_cast<double>(layout.max_positions);
    const double reach = std::max(static_cast<double>(length), limit);
    base *= std::pow(rope.factor * reach / limit - (rope.factor - 1), width / (width - 2));
  }
  const at::Tensor exponents = at::arange(0, layout.head_dim, 2, at::kFloat) / width;
  at::Tensor frequencies = 1.0 / at::pow(base, exponents);
  if (rope.kind == RopeKind::kLinear) return frequencies / rope.factor;
  if (rope.kind == RopeKind::kLlama3) return Llama3Frequencies(frequencies, rope);
  return frequencies;
}

}  // namespace

RotaryTable::RotaryTable(const ModelLayout& layout, int64_t length, c10::ScalarType dtype,
                         c10::Device device) {
  const at::Tensor positions = at::arange(0, length, at::kFloat);
  const at::Tensor angles = at::outer(positions, Frequencies(layout, length)).unsqueeze(1);
  cosine_ = angles.cos().to(device, dtype);
  sine_ = angles.sin().to(device, dtype);
}

at::Tensor RotaryTable::Rotate(const at::Tensor& heads) const {
  if (HasBlockKernels(heads)) return RotateInPlace(heads.contiguous());
  const int64_t half = heads.size(-1) / 2;
  const at::Tensor first = heads.narrow(-1, 0, half);
  const at::Tensor second = heads.narrow(-1, half, half);
  at::Tensor rotated = at::empty_like(heads, heads.options(), at::MemoryFormat::Contiguous);
  at::Tensor rotated_first = rotated.narrow(-1, 0, half);
  at::Tensor rotated_second = rotated.narrow(-1, half, half);
  at::mul_out(rotated_first, first, cosine_);
  rotated_first.addcmul_(second, sine_, -1);
  at::mul_out(rotated_second, second, cosine_);
  rotated_second.addcmul_(first, sine_);
  return rotated;
}

at::Tensor RotaryTable::RotateInPlace(const at::Tensor& heads) const {
  const int64_t length = heads.size(1), count = heads.size(2), width = heads.size(3), half = width / 2;
  const uint16_t* const cosine = Bits(cosine_);
  const uint16_t* const sine = Bits(sine_);
  uint16_t* const bits = MutableBits(heads);
  ForRows(heads.size(0) * length, count * width, [&](const BlockKernels& kernels, int64_t row) {
    const int64_t angle = row % length * half;
    for (int64_t head = 0; head < count; ++head) {
      kernels.rotate(cosine + angle, sine + angle, half, bits + (row * count + head) * width);
    }
  });
  return heads;
}

}  // namespace heroq
