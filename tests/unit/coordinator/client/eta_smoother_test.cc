#include "coordinator/client/eta_smoother.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(EtaSmootherTest, UnknownUntilTheFirstEstimate) {
  EtaSmoother eta;
  EXPECT_FALSE(eta.Left(absl::Seconds(1)).has_value());
  eta.Update(-1, absl::Seconds(1));
  EXPECT_FALSE(eta.Left(absl::Seconds(1)).has_value());
}

TEST(EtaSmootherTest, TimeRunsWhileNothingNewIsKnown) {
  EtaSmoother eta;
  eta.Update(100, absl::Seconds(10));
  EXPECT_EQ(eta.Left(absl::Seconds(10)), absl::Seconds(100));
  eta.Update(-1, absl::Seconds(30));
  EXPECT_EQ(eta.Left(absl::Seconds(30)), absl::Seconds(80));
  EXPECT_EQ(eta.Left(absl::Seconds(500)), absl::ZeroDuration());
}

TEST(EtaSmootherTest, OneEstimateMovesItATenth) {
  EtaSmoother eta;
  eta.Update(100, absl::Seconds(0));
  eta.Update(200, absl::Seconds(0));
  EXPECT_EQ(eta.Left(absl::Seconds(0)), absl::Seconds(110));
}

TEST(EtaSmootherTest, SteadyEstimatesWin) {
  EtaSmoother eta;
  eta.Update(100, absl::Seconds(0));
  for (int i = 0; i < 60; ++i) eta.Update(200, absl::Seconds(0));
  EXPECT_NEAR(absl::ToDoubleSeconds(*eta.Left(absl::Seconds(0))), 200, 0.5);
}

}  // namespace
}  // namespace heroq
