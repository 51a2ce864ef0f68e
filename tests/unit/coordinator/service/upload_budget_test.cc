#include "coordinator/service/upload_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace heroq {
namespace {

using ::testing::ElementsAre;

TEST(UploadBudgetTest, GrantsInOrderAsBytesComeBack) {
  UploadBudget budget(10);
  std::vector<int> granted;
  budget.Acquire(6, [&] { granted.push_back(1); });
  budget.Acquire(6, [&] { granted.push_back(2); });
  // Would fit, but is behind.
  budget.Acquire(1, [&] { granted.push_back(3); });
  EXPECT_THAT(granted, ElementsAre(1));
  budget.Release(6);
  EXPECT_THAT(granted, ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace heroq
