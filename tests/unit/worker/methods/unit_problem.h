#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <string>
#include <vector>

#include "tests/unit/worker/quantizer/random_problem.h"
#include "worker/methods/method.h"

namespace heroq {

inline at::Tensor MatrixTensor(const std::vector<float>& values, int64_t rows, int64_t columns) {
  return at::from_blob(const_cast<float*>(values.data()), {rows, columns}, at::kFloat).clone();
}

// Adds linears of these heights, cut from the problem's weight from the top, and the statistics of their
// input.
inline void AddLinears(const RandomProblem& problem, LinearInput input, const std::vector<int64_t>& heights,
                       const QuantScheme& scheme, UnitWork* work) {
  const at::Tensor weight = MatrixTensor(problem.weight, problem.rows, problem.columns);
  int64_t row = 0;
  for (const int64_t height : heights) {
    const std::string name = "linear" + std::to_string(work->linears.size());
    LinearWork& linear = work->linears.emplace_back();
    linear.name = name;
    linear.input = input;
    linear.weight = weight.slice(0, row, row + height);
    linear.scheme = scheme;
    row += height;
  }
  work->statistics[input] = {MatrixTensor(problem.second_moment, problem.columns, problem.columns),
                             problem.tokens};
}

}  // namespace heroq
