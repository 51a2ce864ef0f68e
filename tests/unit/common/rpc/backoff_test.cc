#include "common/rpc/backoff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/support/recording_sleeper.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;

const JitterSource kNoJitter = [] { return 0.5; };

TEST(BackoffTest, DelaysDoubleUpToTheMaximumAndResetStartsAgain) {
  Backoff backoff({absl::Seconds(1), absl::Seconds(5), 2, 0.2}, kNoJitter);
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(), absl::Seconds(2));
  EXPECT_EQ(backoff.Next(), absl::Seconds(4));
  EXPECT_EQ(backoff.Next(), absl::Seconds(5));
  EXPECT_EQ(backoff.Next(), absl::Seconds(5));
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
}

TEST(BackoffTest, JitterSpreadsByItsShare) {
  EXPECT_EQ(Backoff({absl::Seconds(1), absl::Seconds(5), 2, 0.25}, [] { return 0.0; }).Next(),
            absl::Milliseconds(750));
  EXPECT_EQ(Backoff({absl::Seconds(1), absl::Seconds(5), 2, 0.25}, [] { return 1.0; }).Next(),
            absl::Milliseconds(1250));
  const JitterSource system = SystemJitter();
  for (int i = 0; i < 100; ++i) {
    const double value = system();
    EXPECT_TRUE(value >= 0 && value < 1) << value;
  }
}

TEST(RetryTest, TransientErrorsAreRetriedUntilSuccess) {
  RecordingSleeper sleeper;
  int calls = 0;
  const absl::Status status = Retry({}, kNoJitter, sleeper, [&] {
    return ++calls < 3 ? MakeError(Reason::kUnavailable, "not yet") : absl::OkStatus();
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(calls, 3);
  EXPECT_THAT(sleeper.slept(), ElementsAre(absl::Milliseconds(500), absl::Seconds(1)));
}

TEST(RetryTest, PermanentErrorsAndSpentAttemptsEndIt) {
  RecordingSleeper sleeper;
  int calls = 0;
  const absl::Status permanent = Retry({}, kNoJitter, sleeper, [&] {
    ++calls;
    return MakeError(Reason::kStaleAttempt, "old");
  });
  EXPECT_TRUE(HasReason(permanent, Reason::kStaleAttempt));
  EXPECT_EQ(calls, 1);
  calls = 0;
  const absl::Status spent = Retry({.max_attempts = 4, .backoff = {}}, kNoJitter, sleeper, [&] {
    ++calls;
    return absl::DeadlineExceededError("slow");
  });
  EXPECT_TRUE(absl::IsDeadlineExceeded(spent));
  EXPECT_EQ(calls, 4);
}

TEST(RetryTest, InterruptedSleepEndsIt) {
  RecordingSleeper sleeper(2);
  int calls = 0;
  const absl::Status status = Retry({}, kNoJitter, sleeper, [&] {
    ++calls;
    return absl::UnavailableError("gone");
  });
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(calls, 2);
}

TEST(InterruptibleSleeperTest, InterruptWakesFutureSleepsAtOnce) {
  InterruptibleSleeper sleeper;
  EXPECT_TRUE(sleeper.Sleep(absl::ZeroDuration()));
  sleeper.Interrupt();
  EXPECT_FALSE(sleeper.Sleep(absl::InfiniteDuration()));
}

}  // namespace
}  // namespace heroq
