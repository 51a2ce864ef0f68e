#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "worker/transform/rotation_problem.h"

namespace heroq {

inline at::Tensor NormalTensor(at::IntArrayRef shape, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  at::Tensor values = at::empty(shape, at::kDouble);
  double* data = values.data_ptr<double>();
  for (int64_t i = 0; i < values.numel(); ++i) data[i] = normal(generator);
  return values;
}

// Float64: heavy-tailed weights, inputs correlated and every sixteenth one eight times as large.
inline RotationProblem OutlierProblem(int64_t rows, int64_t columns, int64_t blocks, uint32_t seed) {
  RotationProblem problem;
  problem.weight = NormalTensor({rows, columns}, seed).pow(3).mul_(0.02);
  const at::Tensor tokens = NormalTensor({2 * columns, columns}, seed + 1);
  tokens.add_(NormalTensor({2 * columns, 1}, seed + 2), 0.5);
  tokens.slice(1, 0, columns, 16).mul_(8);
  problem.second_moment = at::matmul(tokens.t(), tokens);
  problem.scheme.weight_bits = 3;
  problem.scheme.group_size = static_cast<int>(columns / blocks);
  problem.rotation_of_block.resize(blocks);
  std::iota(problem.rotation_of_block.begin(), problem.rotation_of_block.end(), 0);
  return problem;
}

inline RotationProblem InFloat32(RotationProblem problem) {
  problem.weight = problem.weight.to(at::kFloat);
  problem.second_moment = problem.second_moment.to(at::kFloat);
  return problem;
}

// `count` copies of the orthonormal Hadamard matrix of size `block` (a power of two), float64 [count, b, b].
inline at::Tensor HadamardRotations(int64_t count, int64_t block) {
  at::Tensor rotations = at::empty({count, block, block}, at::kDouble);
  auto entries = rotations.accessor<double, 3>();
  for (int64_t k = 0; k < count; ++k) {
    for (int64_t i = 0; i < block; ++i) {
      for (int64_t j = 0; j < block; ++j) {
        entries[k][i][j] = (__builtin_popcountll(i & j) % 2 == 0 ? 1 : -1) / std::sqrt(block);
      }
    }
  }
  return rotations;
}

}  // namespace heroq
