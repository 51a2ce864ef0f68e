#include "coordinator/planning/spec_violations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const absl::Status kTooShort = MakeError(Reason::kTextTooShort, "a.txt: 4 tokens", {{"file", "a.txt"}});

TEST(SpecViolationsTest, NothingWrongIsOk) {
  SpecViolations violations;
  violations.AddRefusal("output", absl::OkStatus());
  EXPECT_TRUE(violations.empty());
  EXPECT_TRUE(violations.ToStatus().ok());
}

TEST(SpecViolationsTest, ViolationsAreListedByFieldAndTheFirstOfAFieldStays) {
  SpecViolations violations;
  violations.Add("scheme.weight_bits", "is 9");
  violations.Add("priority", "is 2000");
  violations.Add("scheme.weight_bits", "is odd");
  const absl::Status status = violations.ToStatus();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  EXPECT_EQ(status.message(), "the job spec is invalid: priority is 2000; scheme.weight_bits is 9");
  EXPECT_THAT(ErrorMetadata(status),
              ElementsAre(Pair("field:priority", "is 2000"), Pair("field:scheme.weight_bits", "is 9")));
}

TEST(SpecViolationsTest, ARefusalAloneStaysAsItIs) {
  SpecViolations violations;
  violations.AddRefusal("calibration.source", kTooShort);
  EXPECT_EQ(violations.ToStatus(), kTooShort);
}

TEST(SpecViolationsTest, ARefusalAmongViolationsIsOneLineOfAnInvalidSpec) {
  SpecViolations violations;
  violations.AddRefusal("calibration.source", kTooShort);
  violations.Add("priority", "is 2000");
  const absl::Status status = violations.ToStatus();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  EXPECT_EQ(status.message(),
            "the job cannot run: calibration.source cannot be used: a.txt: 4 tokens; priority is 2000");
  EXPECT_THAT(ErrorMetadata(status),
              ElementsAre(Pair("field:calibration.source", "cannot be used: a.txt: 4 tokens"),
                          Pair("field:priority", "is 2000")));
}

TEST(SpecViolationsTest, RefusalsAloneHaveTheReasonOfTheFirst) {
  SpecViolations violations;
  violations.AddRefusal("output.location", MakeError(Reason::kOutputExists, "out exists"));
  violations.AddRefusal("evaluation.source", kTooShort);
  const absl::Status status = violations.ToStatus();
  EXPECT_TRUE(HasReason(status, Reason::kTextTooShort)) << "in the order of the fields";
  EXPECT_EQ(ErrorMetadata(status).size(), 2u);
}

TEST(SpecViolationsTest, ARefusalThatListsViolationsAddsThese) {
  SpecViolations inner, outer;
  inner.Add("scheme.overrides[0].pattern", "matches nothing");
  inner.Add("scheme.group_size", "is 48");
  outer.AddRefusal("scheme", inner.ToStatus());
  EXPECT_THAT(ErrorMetadata(outer.ToStatus()),
              ElementsAre(Pair("field:scheme.group_size", "is 48"),
                          Pair("field:scheme.overrides[0].pattern", "matches nothing")));
}

TEST(SpecViolationsTest, AFieldHasTheProblemsOfItsParts) {
  SpecViolations violations;
  violations.Add("calibration.samples", "is 0");
  violations.Add("labels_of_another_field", "is wrong");
  violations.Add("scheme.overrides[3]", "is empty");
  EXPECT_TRUE(violations.Has("calibration"));
  EXPECT_TRUE(violations.Has("calibration.samples"));
  EXPECT_TRUE(violations.Has("scheme.overrides"));
  EXPECT_FALSE(violations.Has("labels"));
  EXPECT_FALSE(violations.Has("calibration.sample"));
  EXPECT_FALSE(violations.Has("calibration.samples.more"));
}

}  // namespace
}  // namespace heroq
