#include "coordinator/scheduling/retry_delay.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace heroq {
namespace {

constexpr absl::Duration kBase = absl::Seconds(1);
constexpr absl::Duration kCap = absl::Seconds(60);

TEST(RetryDelayTest, DoublesUpToTheCapWithinTwentyPercent) {
  // 1, 2, 4, 8, 16, 32, then 64 and 128 capped at 60.
  const double expected[] = {1, 2, 4, 8, 16, 32, 60, 60};
  for (int ends = 1; ends <= 8; ++ends) {
    const double seconds = absl::ToDoubleSeconds(RetryDelay(ends, "1.7", kBase, kCap));
    EXPECT_GE(seconds, 0.8 * expected[ends - 1]);
    EXPECT_LE(seconds, 1.2 * expected[ends - 1]);
  }
  EXPECT_LE(RetryDelay(1000, "1.7", kBase, kCap), 1.2 * kCap);
}

TEST(RetryDelayTest, JitterDependsOnTheKeyAlone) {
  double smallest = 2, largest = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "3." + std::to_string(i);
    const double seconds = absl::ToDoubleSeconds(RetryDelay(1, key, kBase, kCap));
    EXPECT_EQ(RetryDelay(1, key, kBase, kCap), RetryDelay(1, key, kBase, kCap));
    smallest = std::min(smallest, seconds);
    largest = std::max(largest, seconds);
  }
  // 200 uniform draws miss a tenth of the range at one end with probability 0.9^200 < 1e-9.
  EXPECT_LT(smallest, 0.84);
  EXPECT_GT(largest, 1.16);
}

}  // namespace
}  // namespace heroq
