#include "worker/quantizer/rtn.h"

#include <gtest/gtest.h>

#include "tests/unit/worker/quantizer/random_problem.h"

namespace heroq {
namespace {

TEST(RtnTest, RoundsToTheNearestCodeWithTiesToEven) {
  // Scale 1, zero point 8: code = round(w) + 8, halves to the even integer.
  const ScaleGrid grid{MakeScheme(4, 8, false), 1, 8, {1.0f}, {8}, {1.0f}};
  const std::vector<float> weight = {0.4f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -0.6f, 3.0f};
  EXPECT_EQ(RoundToGrid(weight, grid), (std::vector<uint8_t>{8, 8, 10, 10, 8, 6, 7, 11}));
}

TEST(RtnTest, ClampsToTheCodesOfTheScheme) {
  const ScaleGrid grid{MakeScheme(2, 4, true), 1, 4, {1.0f}, {2}, {1.0f}};
  EXPECT_EQ(RoundToGrid(std::vector<float>{-100, 100, -2, 1}, grid), (std::vector<uint8_t>{0, 3, 0, 3}));
}

TEST(RtnTest, EveryGroupOfEveryRowUsesItsOwnGrid) {
  const ScaleGrid grid{MakeScheme(4, 2, false), 2, 4, {1.0f, 2.0f, 4.0f, 8.0f}, {0, 1, 2, 3}, {}};
  const std::vector<float> weight(8, 8.0f);
  EXPECT_EQ(RoundToGrid(weight, grid), (std::vector<uint8_t>{8, 8, 5, 5, 4, 4, 4, 4}));
}

}  // namespace
}  // namespace heroq
