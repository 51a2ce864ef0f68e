#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "common/quant/quant_scheme.h"

namespace heroq {

// A linear with weights and second moments like a language model's: channel scales spread over two decades,
// inputs correlated.
struct RandomProblem {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t tokens = 0;
  std::vector<float> weight;         // [rows, columns]
  std::vector<float> second_moment;  // [columns, columns]

  std::vector<float> Diagonal() const {
    std::vector<float> diagonal(columns);
    for (int64_t j = 0; j < columns; ++j) diagonal[j] = second_moment[j * columns + j];
    return diagonal;
  }
};

// `dead` inputs are zero on every token.
inline RandomProblem MakeProblem(int64_t rows, int64_t columns, int64_t tokens, uint32_t seed,
                                 const std::vector<int64_t>& dead = {}) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  RandomProblem problem{rows, columns, tokens, std::vector<float>(rows * columns), {}};
  for (float& value : problem.weight) value = static_cast<float>(0.05 * normal(generator));
  std::vector<double> channel(columns);
  for (double& value : channel) value = std::exp(normal(generator));
  for (const int64_t j : dead) channel[j] = 0;
  std::vector<double> sum(columns * columns);
  std::vector<double> token(columns);
  for (int64_t t = 0; t < tokens; ++t) {
    const double common = normal(generator);
    for (int64_t j = 0; j < columns; ++j) token[j] = channel[j] * (normal(generator) + common);
    for (int64_t i = 0; i < columns; ++i) {
      for (int64_t j = 0; j < columns; ++j) sum[i * columns + j] += token[i] * token[j];
    }
  }
  problem.second_moment.assign(sum.begin(), sum.end());
  return problem;
}

inline QuantScheme MakeScheme(int bits, int group_size, bool symmetric) {
  QuantScheme scheme;
  scheme.weight_bits = bits;
  scheme.group_size = group_size;
  scheme.symmetric = symmetric;
  return scheme;
}

}  // namespace heroq
