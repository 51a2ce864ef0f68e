#include "worker/transform/hadamard.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/diagonal.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sign.h>

#include <bit>
#include <cmath>
#include <numbers>

namespace heroq {
namespace {

// Above this a matrix is applied as the Kronecker product of two.
constexpr int64_t kDirectSize = 128;

}  // namespace

int64_t HadamardSize(int64_t width, int64_t limit) {
  int64_t size = 1;
  while (size * 2 <= limit && width % (size * 2) == 0) size *= 2;
  return size;
}

at::Tensor HadamardMatrix(int64_t size, c10::ScalarType type) {
  at::Tensor matrix = at::empty({size, size}, at::kDouble);
  auto* values = matrix.mutable_data_ptr<double>();
  const double unit = 1.0 / std::sqrt(static_cast<double>(size));
  for (int64_t row = 0; row < size; ++row) {
    for (int64_t column = 0; column < size; ++column) {
      const bool odd = std::popcount(static_cast<uint64_t>(row & column)) % 2 == 1;
      values[row * size + column] = odd ? -unit : unit;
    }
  }
  return matrix.to(type);
}

at::Tensor MultiplyHadamard(const at::Tensor& values, int64_t size) {
  if (size == 1) return values;
  const auto factor = [&](int64_t n) { return HadamardMatrix(n, values.scalar_type()).to(values.device()); };
  const at::Tensor blocks = values.reshape({-1, size});
  if (size <= kDirectSize) return at::matmul(blocks, factor(size)).view(values.sizes());
  // H of n * m is H_n (x) H_m: rows, then columns, of each block as an [n, m] matrix.
  const int64_t inner = kDirectSize / 2;
  const int64_t outer = size / inner;
  const at::Tensor tiles = at::matmul(blocks.reshape({-1, inner}), factor(inner)).view({-1, outer, inner});
  const at::Tensor mixed = tiles.transpose(1, 2).reshape({-1, outer});
  return MultiplyHadamard(mixed, outer).view({-1, inner, outer}).transpose(1, 2).reshape(values.sizes());
}

at::Tensor RandomSigns(const RandomStream& stream, int64_t count, c10::ScalarType type) {
  at::Tensor signs = at::empty({count}, at::kFloat);
  auto* values = signs.mutable_data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) values[i] = stream.Sign(static_cast<uint64_t>(i));
  return signs.to(type);
}

at::Tensor RandomOrthogonal(const RandomStream& stream, int64_t size) {
  at::Tensor gaussian = at::empty({size, size}, at::kDouble);
  auto* values = gaussian.mutable_data_ptr<double>();
  for (int64_t i = 0; i < size * size; ++i) {
    // Box and Muller: one of the two numbers a pair of uniform ones gives.
    const auto index = static_cast<uint64_t>(2 * i);
    const double radius = std::sqrt(-2 * std::log(stream.Uniform(index)));
    values[i] = radius * std::cos(2 * std::numbers::pi * stream.Uniform(index + 1));
  }
  const auto [q, r] = at::linalg_qr(gaussian);
  return q * at::sign(at::diagonal(r));
}

}  // namespace heroq
