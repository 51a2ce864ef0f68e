#include "worker/device/torch_status.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <string>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

TEST(CatchTorchTest, ValuesAndStatusesPassThrough) {
  EXPECT_EQ(CatchTorch("work", [] { return 3; }).value(), 3);
  EXPECT_TRUE(CatchTorch("work", [] {}).ok());
  const absl::Status status = CatchTorch("work", [] { return MakeError(Reason::kCancelled, "stop"); });
  EXPECT_TRUE(HasReason(status, Reason::kCancelled));
  const auto flat = CatchTorch("work", []() -> absl::StatusOr<int> { return 4; });
  EXPECT_EQ(flat.value(), 4);
}

TEST(CatchTorchTest, AWrongShapeIsInternalAndNamesTheWork) {
  const auto result = CatchTorch("a product", [] { return at::mm(at::empty({2, 3}), at::empty({2, 3})); });
  EXPECT_TRUE(HasReason(result.status(), Reason::kInternal));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("a product: mm: mat1 and mat2"));
}

TEST(CatchTorchTest, ATensorThatDoesNotFitIsOutOfMemory) {
  const auto result = CatchTorch("a huge tensor", [] { return at::empty({int64_t{1} << 46}); });
  EXPECT_TRUE(HasReason(result.status(), Reason::kOutOfMemory)) << result.status();
}

TEST(CatchTorchTest, AFailedAllocationIsOutOfMemory) {
  EXPECT_TRUE(HasReason(CatchTorch("work", [] { throw std::bad_alloc(); }), Reason::kOutOfMemory));
}

TEST(CatchTorchTest, AnythingThrownEndsHere) {
  EXPECT_TRUE(HasReason(CatchTorch("work", [] { throw 3; }), Reason::kInternal));
}

}  // namespace
}  // namespace heroq
