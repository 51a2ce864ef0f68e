#include "worker/calibration/moment_tap.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

TEST(MomentTapTest, KeepsInputsApart) {
  MomentTap tap;
  ASSERT_TRUE(tap.Observe(LinearInput::kMlpIn, at::randn({5, 4})).ok());
  ASSERT_TRUE(tap.Observe(LinearInput::kMlpOut, at::randn({5, 6})).ok());
  ASSERT_TRUE(tap.Observe(LinearInput::kMlpIn, at::randn({2, 4})).ok());
  const auto statistics = tap.TakePacked();
  ASSERT_EQ(statistics.size(), 2u);
  EXPECT_EQ(statistics.at(LinearInput::kMlpIn).token_count, 7);
  EXPECT_EQ(statistics.at(LinearInput::kMlpOut).upper.numel(), 6 * 7 / 2);
  EXPECT_TRUE(tap.TakePacked().empty());
}

TEST(MomentTapTest, NamesTheInputAndCountsWhatIsNotFinite) {
  MomentTap tap;
  at::Tensor rows = at::randn({5, 4});
  rows[1][2] = std::numeric_limits<float>::quiet_NaN();
  rows[3][0] = std::numeric_limits<float>::infinity();
  const absl::Status status = tap.Observe(LinearInput::kAttentionOut, rows);
  EXPECT_TRUE(HasReason(status, Reason::kNumericalFailure));
  EXPECT_THAT(std::string(status.message()), HasSubstr("input attention_out: 2 of 20 values are NaN or Inf"));
}

TEST(MomentTapTest, SquaresThatOverflowAreNamedToo) {
  MomentTap tap;
  const absl::Status status = tap.Observe(LinearInput::kMlpOut, at::full({2, 2}, 1e30));
  EXPECT_TRUE(HasReason(status, Reason::kNumericalFailure));
  EXPECT_THAT(std::string(status.message()), HasSubstr("input mlp_out: the sum of squares"));
}

TEST(MomentTapTest, CountsTheEnergyOfOutputsInBfloat16) {
  MomentTap tap;
  const at::Tensor first = at::randn({2, 5, 40}).to(at::kBFloat16),
                   second = at::randn({3, 40}).to(at::kBFloat16);
  tap.ObserveOutput(LinearInput::kMlpIn, LinearRole::kUp, first);
  tap.ObserveOutput(LinearInput::kMlpIn, LinearRole::kUp, second);
  tap.ObserveOutput(LinearInput::kMlpIn, LinearRole::kGate, second);
  tap.ObserveOutput(LinearInput::kMlpOut, LinearRole::kDown, second.to(at::kFloat));
  const auto statistics = tap.TakePacked();
  ASSERT_EQ(statistics.size(), 1u);
  const auto energy = [](const at::Tensor& values) {
    return values.to(at::kDouble).square().sum().item<double>();
  };
  const std::map<LinearRole, double>& energies = statistics.at(LinearInput::kMlpIn).output_energies;
  ASSERT_EQ(energies.size(), 2u);
  EXPECT_NEAR(energies.at(LinearRole::kUp), energy(first) + energy(second), 1e-5 * energy(first));
  EXPECT_NEAR(energies.at(LinearRole::kGate), energy(second), 1e-5 * energy(second));
  EXPECT_TRUE(tap.TakePacked().empty());
}

}  // namespace
}  // namespace heroq
