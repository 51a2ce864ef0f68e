#include "worker/methods/smoothquant_method.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/unit/worker/methods/unit_problem.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// Gate, up and down; channel 5 of what gate and up read is far larger than the others.
UnitWork MlpUnit() {
  UnitWork work;
  const QuantScheme scheme = MakeScheme(4, 16, true);
  AddLinears(MakeProblem(128, 48, 400, 1), LinearInput::kMlpIn, {64, 64}, scheme, &work);
  AddLinears(MakeProblem(48, 64, 400, 2), LinearInput::kMlpOut, {48}, scheme, &work);
  const LinearRole roles[] = {LinearRole::kGate, LinearRole::kUp, LinearRole::kDown};
  for (size_t i = 0; i < 3; ++i) work.linears[i].role = roles[i];
  work.gain = at::ones({48});
  work.stored_type = at::kFloat;
  at::Tensor rows = at::ones({10, 48});
  rows.select(1, 5).fill_(100);
  work.statistics[LinearInput::kMlpIn].kept = std::make_shared<const KeptActivations>(rows);
  work.statistics[LinearInput::kMlpOut].kept = std::make_shared<const KeptActivations>(at::ones({10, 64}));
  return work;
}

QuantizedUnit Quantize(const SmoothQuantOptions& options, const UnitWork& work) {
  auto unit = SmoothQuantMethod(options).Quantize(work, {}, {});
  EXPECT_TRUE(unit.ok()) << unit.status();
  return *std::move(unit);
}

TEST(SmoothQuantMethodTest, TheLargerTheActivationTheSmallerTheGain) {
  const UnitWork work = MlpUnit();
  const QuantizedUnit unit = Quantize({.base = RtnOptions{}, .strength = 1}, work);
  ASSERT_THAT(unit.transforms, SizeIs(2));
  EXPECT_EQ(unit.transforms[0].alpha, 1);
  const at::Tensor& gain = unit.transformed->gain;
  EXPECT_NEAR((gain[0] / gain[5]).item<double>(), 100, 1e-3) << "all of the range moves";
  EXPECT_NEAR((gain[0] / gain[7]).item<double>(), 1, 1e-6);
  // The function is the same.
  const at::Tensor gained = unit.transformed->linears[0].weight * gain;
  EXPECT_LT((gained - work.linears[0].weight).abs().max().item<double>(), 1e-6);
  // And the activations that are left have one range.
  const at::Tensor& rows = unit.transformed->statistics.at(LinearInput::kMlpIn).kept->rows();
  EXPECT_NEAR(rows.max().item<double>(), rows.min().item<double>(), 1e-4);
}

TEST(SmoothQuantMethodTest, WithoutStrengthTheWeightsGetOneRange) {
  const QuantizedUnit unit = Quantize({.base = RtnOptions{}, .strength = 0}, MlpUnit());
  const auto largest = [&](size_t i) {
    return std::get<0>(unit.transformed->linears[i].weight.abs().max(0));
  };
  const at::Tensor both = at::maximum(largest(0), largest(1));
  EXPECT_NEAR(both.max().item<double>(), both.min().item<double>(), 1e-5);
}

TEST(SmoothQuantMethodTest, WithoutKeptActivationsItIsRefused) {
  UnitWork work = MlpUnit();
  work.statistics.at(LinearInput::kMlpOut).kept = nullptr;
  const auto unit = SmoothQuantMethod({.base = GptqOptions{}}).Quantize(work, {}, {});
  EXPECT_TRUE(HasReason(unit.status(), Reason::kCalibrationRequired)) << unit.status();
  EXPECT_THAT(std::string(unit.status().message()),
              HasSubstr("linear2: no activations of its input mlp_out"));
}

}  // namespace
}  // namespace heroq
