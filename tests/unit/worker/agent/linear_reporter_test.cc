#include "worker/agent/linear_reporter.h"

#include <ATen/ops/from_blob.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "common/quant/half.h"
#include "common/quant/packing.h"

namespace heroq {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

// One row of two weights on a grid of scale 1 with zero point 8, and diagonal second moments.
struct Example {
  std::vector<float> weight;
  std::vector<float> moments;

  UnitWork Work() {
    UnitWork work;
    LinearWork& linear = work.linears.emplace_back();
    linear.name = "linear";
    linear.input = LinearInput::kMlpIn;
    linear.weight = at::from_blob(weight.data(), {1, 2}, at::kFloat);
    linear.scheme = Scheme();
    work.statistics[LinearInput::kMlpIn] = {at::from_blob(moments.data(), {2, 2}, at::kFloat), 10};
    return work;
  }

  static QuantScheme Scheme() {
    QuantScheme scheme;
    scheme.group_size = 2;
    return scheme;
  }

  static QuantizedLinear Stored(uint8_t first, uint8_t second) {
    return {"linear", 1, 2, Scheme(), PackRows({first, second}, 1, 2, 4), {FloatToBf16(1.0f)}, {8}};
  }
};

v1::LinearReport Report(const UnitWork& work, const QuantizedLinear& stored, const LinearOutcome& outcome,
                        bool spectra = false) {
  auto report = LinearReporter(work, spectra, {}).Report(work.linears[0], Dequantize(stored), outcome);
  EXPECT_TRUE(report.ok()) << report.status();
  return *std::move(report);
}

TEST(LinearReporterTest, ErrorsAreRatiosOfEnergies) {
  // W = (2, 4), What = (3, 4): E = (1, 0). With H = diag(5, 10): 5 over 5 * 4 + 10 * 16 = 180.
  Example example{{2, 4}, {5, 0, 0, 10}};
  const UnitWork work = example.Work();
  LinearOutcome outcome;
  outcome.damping = 0.1;
  outcome.damping_raised = true;
  outcome.mean_shrink = 0.9;
  outcome.dead_inputs = 3;
  outcome.token_count = 10;
  outcome.warnings = {"a", "b"};
  const v1::LinearReport report = Report(work, Example::Stored(11, 12), outcome);
  EXPECT_DOUBLE_EQ(report.relative_error(), 5.0 / 180);
  EXPECT_DOUBLE_EQ(report.weight_error(), 1.0 / 20);
  EXPECT_EQ(report.damping(), 0.1);
  EXPECT_TRUE(report.damping_raised());
  EXPECT_EQ(report.mean_shrink(), 0.9);
  EXPECT_EQ(report.dead_inputs(), 3);
  EXPECT_EQ(report.token_count(), 10);
  EXPECT_THAT(report.warnings(), ElementsAre("a", "b"));
}

// A hundred rows (2, 4), all stored as (3, 4): each loses 5 of 180.
class CountedTest : public ::testing::Test {
 protected:
  static constexpr int kRows = 100;

  v1::LinearReport ReportCounted(double loss) {
    UnitWork work;
    LinearWork& linear = work.linears.emplace_back();
    linear.name = "linear";
    linear.input = LinearInput::kMlpIn;
    linear.weight = at::from_blob(row_.data(), {1, 2}, at::kFloat).repeat({kRows, 1});
    linear.scheme = Example::Scheme();
    work.statistics[LinearInput::kMlpIn] = {at::from_blob(moments_.data(), {2, 2}, at::kFloat), 10};
    std::vector<float> stored;
    for (int i = 0; i < kRows; ++i) stored.insert(stored.end(), {3, 4});
    LinearOutcome outcome;
    outcome.row_losses.assign(kRows, loss);
    auto report = LinearReporter(work, false, {}).Report(work.linears[0], stored, outcome);
    EXPECT_TRUE(report.ok()) << report.status();
    return *std::move(report);
  }

  std::vector<float> row_ = {2, 4};
  std::vector<float> moments_ = {5, 0, 0, 10};
};

TEST_F(CountedTest, WhatTheSolverCountedStandsWhenRowsBearItOut) {
  const v1::LinearReport report = ReportCounted(5.004);
  EXPECT_NEAR(report.relative_error(), 5.004 / 180, 1e-12);
  EXPECT_THAT(report.warnings(), ElementsAre());
}

TEST_F(CountedTest, WhatRowsDoNotBearOutIsMeasured) {
  const v1::LinearReport report = ReportCounted(4.9);
  EXPECT_DOUBLE_EQ(report.relative_error(), 5.0 / 180);
  EXPECT_THAT(report.warnings(), ElementsAre()) << "2 % may be rounding";
}

TEST_F(CountedTest, ACountThatIsNoRoundingOfTheMeasuredIsAWarning) {
  const v1::LinearReport report = ReportCounted(4);
  EXPECT_DOUBLE_EQ(report.relative_error(), 5.0 / 180);
  EXPECT_THAT(report.warnings(), ElementsAre("Stored rows lose 240 where the solver counted 192."));
}

TEST_F(CountedTest, EnergyOfAWeightIsThatOfItsValuesWhetherBfloat16HoldsThemOrNot) {
  moments_ = {5, 2, 2, 10};
  // (2, 4) H (2, 4)^T = 4 * 5 + 2 * 2 * 4 * 2 + 16 * 10 = 212.
  EXPECT_NEAR(ReportCounted(5).relative_error(), 5.0 / 212, 1e-9);
  // bfloat16 would hold 2 + 2^-9 as 2.
  const double first = 2 + 1.0 / 512;
  row_ = {static_cast<float>(first), 4};
  const double lost = (3 - first) * (3 - first) * 5;
  EXPECT_NEAR(ReportCounted(lost).relative_error(), lost / (first * first * 5 + 16 * first + 160), 1e-9);
}

TEST(LinearReporterTest, SpectraAreOfDampedMomentsPerToken) {
  // H / tokens = diag(0.5, 1), damped by 0.0075; E = (1, 0) lies along the smaller eigenvalue alone.
  Example example{{2, 4}, {5, 0, 0, 10}};
  const UnitWork work = example.Work();
  LinearOutcome outcome;
  outcome.evidence_before.emplace().error_norm = 3;
  const v1::LinearReport report = Report(work, Example::Stored(11, 12), outcome, true);
  EXPECT_EQ(report.spectrum_before().error_norm(), 3);
  const v1::SpectralReport& spectrum = report.spectrum();
  EXPECT_THAT(spectrum.eigenvalues(), ElementsAre(DoubleNear(1.0075, 1e-6), DoubleNear(0.5075, 1e-6)));
  EXPECT_NEAR(spectrum.condition_number(), 1.0075 / 0.5075, 1e-5);
  EXPECT_NEAR(spectrum.error_energy(), 0.5075, 1e-6);
  EXPECT_DOUBLE_EQ(spectrum.error_norm(), 1);
  EXPECT_NEAR(spectrum.norm_share(), 1, 1e-6);
  EXPECT_NEAR(spectrum.energy_share(), 1, 1e-6);
  EXPECT_FALSE(Report(work, Example::Stored(11, 12), {}).has_spectrum());
}

TEST(LinearReporterTest, NothingLostOfNothingIsZero) {
  Example example{{0, 0}, {5, 0, 0, 10}};
  const UnitWork work = example.Work();
  const v1::LinearReport report = Report(work, Example::Stored(8, 8), {});
  EXPECT_TRUE(report.has_relative_error());
  EXPECT_EQ(report.relative_error(), 0);
  EXPECT_EQ(report.weight_error(), 0);
}

TEST(LinearReporterTest, SomethingLostOfNothingHasNoRatio) {
  // The only live weight is zero, its stored value is not.
  Example example{{0, 4}, {5, 0, 0, 0}};
  const UnitWork work = example.Work();
  const v1::LinearReport report = Report(work, Example::Stored(9, 12), {});
  EXPECT_FALSE(report.has_relative_error());
}

TEST(LinearReporterTest, AnEnergyThatWasCountedIsTaken) {
  Example example{{2, 4}, {5, 0, 0, 10}};
  UnitWork work = example.Work();
  work.linears[0].role = LinearRole::kDown;
  auto& energies = work.statistics[LinearInput::kMlpIn].output_energies;
  energies = {{LinearRole::kDown, 200}};
  EXPECT_DOUBLE_EQ(Report(work, Example::Stored(11, 12), {}).relative_error(), 5.0 / 200);
  energies = {{LinearRole::kDown, std::numeric_limits<double>::infinity()}};
  EXPECT_DOUBLE_EQ(Report(work, Example::Stored(11, 12), {}).relative_error(), 5.0 / 180);
  energies = {{LinearRole::kUp, 200}};
  EXPECT_DOUBLE_EQ(Report(work, Example::Stored(11, 12), {}).relative_error(), 5.0 / 180);
}

}  // namespace
}  // namespace heroq
