#include "coordinator/validation/group_index_check.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

LinearStorage GroupsOf(int length, GroupIndex order) {
  LinearStorage storage;
  storage.scheme.group_size = length;
  storage.group_index = order;
  return storage;
}

TEST(GroupIndexCheckTest, ConsecutiveGroupsHoldWhateverOrderIsAllowed) {
  EXPECT_EQ(WrongGroupIndex({0, 0, 1, 1}, GroupsOf(2, GroupIndex::kAllowed)), "");
  EXPECT_EQ(WrongGroupIndex({0, 0, 1, 1}, GroupsOf(2, GroupIndex::kAnyOrder)), "");
  EXPECT_EQ(WrongGroupIndex({0, 0, 0}, GroupsOf(kPerChannel, GroupIndex::kAllowed)), "");
}

TEST(GroupIndexCheckTest, OtherOrdersHoldOnlyWhereTheyAreAllowed) {
  EXPECT_EQ(WrongGroupIndex({1, 0, 0, 1}, GroupsOf(2, GroupIndex::kAnyOrder)), "");
  EXPECT_EQ(WrongGroupIndex({1, 0, 0, 1}, GroupsOf(2, GroupIndex::kAllowed)),
            "column 0 in group 1 instead of 0");
}

TEST(GroupIndexCheckTest, TheLastGroupMayBeShorter) {
  EXPECT_EQ(WrongGroupIndex({0, 0, 1}, GroupsOf(2, GroupIndex::kAllowed)), "");
  EXPECT_EQ(WrongGroupIndex({0, 1, 1}, GroupsOf(2, GroupIndex::kAnyOrder)),
            "group 0 with 1 columns instead of 2");
}

TEST(GroupIndexCheckTest, GroupsThatAreNoneAreNamed) {
  EXPECT_EQ(WrongGroupIndex({0, -1}, GroupsOf(2, GroupIndex::kAnyOrder)), "column 1 in group -1 of 1");
  EXPECT_EQ(WrongGroupIndex({0, 1}, GroupsOf(2, GroupIndex::kAnyOrder)), "column 1 in group 1 of 1");
}

}  // namespace
}  // namespace heroq
