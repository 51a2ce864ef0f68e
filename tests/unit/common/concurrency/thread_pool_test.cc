#include "common/concurrency/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"

namespace heroq {
namespace {

TEST(ThreadPoolTest, OneThreadRunsInOrder) {
  std::vector<int> seen;
  {
    ThreadPool pool(1);
    for (int i = 0; i < 100; ++i) pool.Schedule([&seen, i] { seen.push_back(i); });
  }
  ASSERT_EQ(seen.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[i], i);
}

TEST(ThreadPoolTest, ThreadsRunAtTheSameTime) {
  ThreadPool pool(2);
  // Each waits for the other: one thread alone would hang.
  absl::BlockingCounter both(2);
  absl::Notification done;
  pool.Schedule([&] {
    both.DecrementCount();
    done.WaitForNotification();
  });
  pool.Schedule([&] { both.DecrementCount(); });
  both.Wait();
  done.Notify();
}

TEST(ThreadPoolTest, DestructorRunsWhatRunningFunctionsSchedule) {
  std::atomic<int> depth{0};
  // Outlives the pool, whose destructor still runs it.
  std::function<void()> next;
  {
    ThreadPool pool(3);
    next = [&] {
      if (++depth < 50) pool.Schedule(next);
    };
    pool.Schedule(next);
  }
  EXPECT_EQ(depth, 50);
}

}  // namespace
}  // namespace heroq
