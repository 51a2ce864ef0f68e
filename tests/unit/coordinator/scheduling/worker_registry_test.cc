#include "coordinator/scheduling/worker_registry.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(WorkerRegistryTest, HelloNeedsEveryIdentityAndASlot) {
  v1::WorkerHello hello;
  EXPECT_FALSE(WorkerRegistry::CheckHello(hello).ok());
  hello.set_worker_id("w");
  EXPECT_FALSE(WorkerRegistry::CheckHello(hello).ok());
  hello.set_incarnation("1");
  EXPECT_FALSE(WorkerRegistry::CheckHello(hello).ok());
  hello.set_numeric_class("c");
  EXPECT_FALSE(WorkerRegistry::CheckHello(hello).ok());
  hello.set_slots(1);
  EXPECT_TRUE(WorkerRegistry::CheckHello(hello).ok());
}

TEST(WorkerRegistryTest, SessionsAreNeverReused) {
  WorkerRegistry registry;
  v1::WorkerHello hello;
  hello.set_worker_id("w");
  const int64_t first = registry.Add(hello, nullptr, absl::Seconds(1)).session;
  EXPECT_EQ(registry.FindByWorkerId("w")->session, first);
  registry.Remove(first);
  EXPECT_EQ(registry.FindByWorkerId("w"), nullptr);
  EXPECT_NE(registry.Add(hello, nullptr, absl::Seconds(1)).session, first);
  EXPECT_EQ(registry.Find(first), nullptr);
}

}  // namespace
}  // namespace heroq
