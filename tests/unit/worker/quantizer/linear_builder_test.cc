#include "worker/quantizer/linear_builder.h"

#include <gtest/gtest.h>

#include "tests/unit/worker/quantizer/random_problem.h"
#include "worker/quantizer/rtn.h"

namespace heroq {
namespace {

TEST(LinearBuilderTest, RowsOfAStackAreStoredWithTheirOwnGrid) {
  const RandomProblem problem = MakeProblem(7, 64, 1, 1);
  for (const bool symmetric : {false, true}) {
    for (const ScaleType type : {ScaleType::kBf16, ScaleType::kF16}) {
      QuantScheme scheme = MakeScheme(3, 32, symmetric);
      scheme.scale_type = type;
      auto grid = MakeGrid(KernelsFor(BestIsa()), problem.weight, 7, 64, scheme, {}, "x");
      ASSERT_TRUE(grid.ok()) << grid.status();
      const std::vector<uint8_t> codes = RoundToGrid(problem.weight, *grid);
      const absl::Span<const uint8_t> part(codes.data() + 3 * 64, 2 * 64);
      const QuantizedLinear linear = BuildQuantizedLinear("k_proj", *grid, 3, 2, part);
      ASSERT_TRUE(ValidateQuantizedLinear(linear).ok()) << ValidateQuantizedLinear(linear);
      EXPECT_EQ(linear.name, "k_proj");
      const std::vector<float> weight = Dequantize(linear);
      for (size_t i = 0; i < weight.size(); ++i) {
        const size_t group = (3 * 64 + i) / 32;
        EXPECT_EQ(weight[i],
                  grid->scales[group] * static_cast<float>(codes[3 * 64 + i] - grid->zeros[group]));
      }
    }
  }
}

}  // namespace
}  // namespace heroq
