#include "worker/agent/hidden_state_cache.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <string>

namespace heroq {
namespace {

Digest Named(char letter) { return {std::string(64, letter), 1}; }
at::Tensor Bytes(int64_t count) { return at::zeros({count}, at::kByte); }

TEST(HiddenStateCacheTest, GivesEachEntryOnce) {
  HiddenStateCache cache(100);
  cache.Put(3, Named('a'), Bytes(10));
  EXPECT_EQ(cache.Take(3, Named('a'))->numel(), 10);
  EXPECT_FALSE(cache.Take(3, Named('a')).has_value());
  EXPECT_EQ(cache.bytes(), 0);
}

TEST(HiddenStateCacheTest, TheOldestMakeRoom) {
  HiddenStateCache cache(100);
  cache.Put(3, Named('a'), Bytes(40));
  cache.Put(3, Named('b'), Bytes(40));
  cache.Put(3, Named('c'), Bytes(40));
  EXPECT_EQ(cache.bytes(), 80);
  EXPECT_TRUE(cache.Take(3, Named('b')).has_value());
  EXPECT_TRUE(cache.Take(3, Named('c')).has_value());
  EXPECT_FALSE(cache.Take(3, Named('a')).has_value());
}

TEST(HiddenStateCacheTest, ShardsThatChangeHandsTakeTheOthersAlong) {
  HiddenStateCache cache(100);
  cache.Put(3, Named('a'), Bytes(10));
  cache.Put(3, Named('b'), Bytes(10));
  cache.Put(4, Named('c'), Bytes(10));
  EXPECT_FALSE(cache.Take(3, Named('x')).has_value()) << "another worker gave it";
  EXPECT_EQ(cache.bytes(), 10) << "and goes on with a and b";
  EXPECT_TRUE(cache.Take(4, Named('c')).has_value());
}

TEST(HiddenStateCacheTest, WhatIsLargerThanAllOfItIsNotKept) {
  HiddenStateCache cache(100);
  cache.Put(3, Named('a'), Bytes(101));
  EXPECT_EQ(cache.bytes(), 0);
}

TEST(HiddenStateCacheTest, WhatOthersWentOnWithDoesNotStay) {
  HiddenStateCache cache(100);
  cache.Put(3, Named('a'), Bytes(10));
  cache.Put(3, Named('b'), Bytes(10));
  cache.Put(4, Named('c'), Bytes(10));
  EXPECT_EQ(cache.bytes(), 30) << "b is read while block 4 is under way";
  cache.Put(5, Named('d'), Bytes(10));
  EXPECT_EQ(cache.bytes(), 20);
  EXPECT_FALSE(cache.Take(3, Named('b')).has_value());
  EXPECT_TRUE(cache.Take(4, Named('c')).has_value());
  cache.Put(0, Named('e'), Bytes(10));
  EXPECT_EQ(cache.bytes(), 10) << "another job began";
}

TEST(HiddenStateCacheTest, EqualHiddenStatesAreKeptOnce) {
  HiddenStateCache cache(100);
  cache.Put(3, Named('a'), Bytes(40));
  cache.Put(3, Named('a'), Bytes(40));
  EXPECT_EQ(cache.bytes(), 40);
}

}  // namespace
}  // namespace heroq
