#include "coordinator/state/plan_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "coordinator/state/job_state.h"
#include "tests/support/test_plan.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

// TestPlan after `change`.
template <typename Change>
std::string RefusalOf(const Change& change) {
  v1::Plan plan = TestPlan();
  change(plan);
  const absl::Status status = CheckPlan(plan);
  EXPECT_TRUE(HasReason(status, Reason::kInternal)) << status;
  return std::string(status.message());
}

TEST(PlanCheckTest, PlansOfJobsPass) {
  EXPECT_EQ(CheckPlan(TestPlan()), absl::OkStatus());
  EXPECT_EQ(CheckPlan(TestPlan({.calibrated = false, .evaluation_sequences = 4})), absl::OkStatus());
  EXPECT_EQ(CheckPlan(TestPlan({.quantized = false, .evaluation_sequences = 4})), absl::OkStatus());
}

TEST(PlanCheckTest, PlansWhoseGraphCannotBeBuiltAreRefused) {
  EXPECT_THAT(RefusalOf([](v1::Plan& plan) { plan.mutable_units(0)->set_block(-1); }),
              HasSubstr("units: block -1"));
  EXPECT_THAT(RefusalOf([](v1::Plan& plan) { plan.mutable_units(0)->set_block(10'000); }),
              HasSubstr("units: block 10000, expected 0 to 9999"));
  EXPECT_THAT(RefusalOf([](v1::Plan& plan) { *plan.add_units() = plan.units(0); }),
              HasSubstr("block 0 has unit attention twice"));
  EXPECT_THAT(RefusalOf([](v1::Plan& plan) { plan.mutable_calibration()->set_shards(2'000'000'000); }),
              HasSubstr("make more than 1000000 tasks"));
  EXPECT_THAT(RefusalOf([](v1::Plan& plan) { plan.mutable_calibration()->set_shards(-1); }),
              HasSubstr("-1 shards"));
}

TEST(PlanCheckTest, TensorsNameUnitsOfThePlan) {
  const auto set_unit = [](int unit) {
    return [unit](v1::Plan& plan) {
      v1::PlannedTensor& tensor = *plan.mutable_files(0)->add_tensors();
      tensor.set_name("x");
      tensor.set_unit(unit);
    };
  };
  EXPECT_THAT(RefusalOf(set_unit(-1)), HasSubstr("files: tensor x is of unit -1"));
  EXPECT_THAT(RefusalOf(set_unit(TestPlan().units_size())), HasSubstr("files: tensor x is of unit 4 of 4"));
}

TEST(PlanCheckTest, AnUpdateWithSuchAPlanIsNotApplied) {
  CoordinatorState state;
  ApplyUpdate(state, CreateUpdate("j"));
  v1::Plan plan = TestPlan();
  plan.mutable_units(0)->set_block(-1);
  EXPECT_TRUE(HasReason(ValidateUpdate(state, PlanUpdate("j", plan)), Reason::kInternal));
}

}  // namespace
}  // namespace heroq
