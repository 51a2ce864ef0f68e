#include "worker/quantizer/output_energy.h"

#include <gtest/gtest.h>

#include "tests/unit/worker/quantizer/random_problem.h"

namespace heroq {
namespace {

TEST(OutputEnergyTest, IsTheTraceOfTheQuadraticForm) {
  // Columns that end inside a tile and beyond one block of depth; rows that end inside a strip.
  for (const int64_t columns : {5, 64, 301}) {
    const RandomProblem problem = MakeProblem(50, columns, 40, 1);
    double expected = 0;
    for (int64_t row = 0; row < 50; ++row) {
      const float* m = problem.weight.data() + row * columns;
      for (int64_t i = 0; i < columns; ++i) {
        for (int64_t j = 0; j < columns; ++j) {
          expected += static_cast<double>(m[i]) * problem.second_moment[i * columns + j] * m[j];
        }
      }
    }
    const OutputEnergy energy(KernelsFor(BestIsa()), problem.second_moment, columns);
    EXPECT_NEAR(energy.Of(problem.weight, 50), expected, 1e-5 * expected) << columns;
  }
}

}  // namespace
}  // namespace heroq
