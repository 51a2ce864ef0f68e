#include "common/concurrency/side_by_side.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "absl/synchronization/notification.h"

namespace heroq {
namespace {

TEST(SideBySideTest, BothRunAtTheSameTimeAndHaveEnded) {
  absl::Notification here_runs, there_runs;
  bool here_ended = false, there_ended = false;
  const std::thread::id caller = std::this_thread::get_id();
  // Each waits for the other: one thread alone would hang.
  RunSideBySide(
      [&] {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        here_runs.Notify();
        there_runs.WaitForNotification();
        here_ended = true;
      },
      [&] {
        there_runs.Notify();
        here_runs.WaitForNotification();
        there_ended = true;
      });
  EXPECT_TRUE(here_ended);
  EXPECT_TRUE(there_ended);
}

TEST(SideBySideTest, WhatIsThrownLeavesAfterTheOtherHasEnded) {
  absl::Notification thrown;
  bool there_ended = false;
  struct Throws {
    absl::Notification& thrown;
    ~Throws() { thrown.Notify(); }
  };
  EXPECT_THROW(RunSideBySide(
                   [&] {
                     const Throws last{thrown};
                     throw std::runtime_error("here");
                   },
                   [&] {
                     thrown.WaitForNotification();
                     there_ended = true;
                   }),
               std::runtime_error);
  EXPECT_TRUE(there_ended);
}

}  // namespace
}  // namespace heroq
