#include "worker/agent/acknowledgement_monitor.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace heroq {
namespace {

TEST(AcknowledgementMonitorTest, SilenceCountsFromTheWelcome) {
  FakeClock clock;
  const AcknowledgementMonitor monitor(clock, absl::Seconds(15));
  clock.Advance(absl::Milliseconds(14'999));
  EXPECT_FALSE(monitor.Expired());
  clock.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(monitor.Expired());
}

TEST(AcknowledgementMonitorTest, CountsFromTheSendingOfTheAnsweredHeartbeat) {
  FakeClock clock;
  AcknowledgementMonitor monitor(clock, absl::Seconds(15));
  clock.Advance(absl::Seconds(5));
  monitor.Sent();
  clock.Advance(absl::Seconds(5));
  monitor.Sent();
  // The answer to the first one, sent at 5 s, comes at 10 s: silence ends at 20 s, not at 25 s.
  monitor.Acknowledged();
  clock.Advance(absl::Milliseconds(9'999));
  EXPECT_FALSE(monitor.Expired());
  clock.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(monitor.Expired());
  monitor.Acknowledged();
  EXPECT_FALSE(monitor.Expired());
}

TEST(AcknowledgementMonitorTest, AnswersNobodyAskedForAreIgnored) {
  FakeClock clock;
  AcknowledgementMonitor monitor(clock, absl::Seconds(15));
  clock.Advance(absl::Seconds(15));
  monitor.Acknowledged();
  EXPECT_TRUE(monitor.Expired());
}

}  // namespace
}  // namespace heroq
