#include "coordinator/service/stalled_uploads.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace heroq {
namespace {

TEST(StalledUploadsTest, OnlyWhoKeepsWaitingForTooLongIsCancelledOnce) {
  FakeClock clock;
  StalledUploads uploads(clock, absl::Seconds(60));
  int silent = 0, busy = 0, ended = 0;
  uploads.Begin(&silent, [&] { ++silent; });
  uploads.Begin(&busy, [&] { ++busy; });
  uploads.Begin(&ended, [&] { ++ended; });
  clock.Advance(absl::Seconds(40));
  // A message came, and the next one is waited for.
  uploads.End(&busy);
  uploads.Begin(&busy, [&] { ++busy; });
  uploads.End(&ended);
  clock.Advance(absl::Seconds(20));
  uploads.CancelStalled();
  EXPECT_EQ(silent, 0);
  clock.Advance(absl::Seconds(1));
  uploads.CancelStalled();
  uploads.CancelStalled();
  EXPECT_EQ(silent, 1);
  EXPECT_EQ(busy, 0);
  EXPECT_EQ(ended, 0);
}

}  // namespace
}  // namespace heroq
