#include "worker/methods/transform_score.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/diag.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/worker/methods/unit_problem.h"
#include "worker/methods/gptq_method.h"
#include "worker/methods/rtn_method.h"
#include "worker/transform/conditioning.h"

namespace heroq {
namespace {

constexpr LinearInput kInput = LinearInput::kMlpIn;

UnitWork TwoLinears(int64_t rows) {
  UnitWork work;
  AddLinears(MakeProblem(rows, 64, 400, 3), kInput, {rows / 2, rows / 2}, MakeScheme(3, 32, true), &work);
  return work;
}

// Of all rows, from what a method stores: tr(E H E^T) and tr(W H W^T) in float64.
std::pair<double, double> Energies(const UnitWork& work, const Method& method) {
  const QuantizedUnit unit = *method.Quantize(work, {}, {});
  const at::Tensor moments = work.statistics.at(kInput).second_moment.to(at::kDouble);
  double lost = 0, total = 0;
  for (size_t i = 0; i < work.linears.size(); ++i) {
    const at::Tensor weight = work.linears[i].weight.to(at::kDouble);
    const at::Tensor error =
        MatrixTensor(Dequantize(unit.linears[i]), weight.size(0), weight.size(1)).to(at::kDouble) - weight;
    lost += (error.matmul(moments) * error).sum().item<double>();
    total += (weight.matmul(moments) * weight).sum().item<double>();
  }
  return {lost, total};
}

TEST(TransformScoreTest, OfAllRowsItIsTheRelativeErrorOfTheMethod) {
  const UnitWork work = TwoLinears(20);
  const Cancellation never;
  const auto [gptq_lost, total] = Energies(work, GptqMethod({}));
  EXPECT_NEAR(*TransformScore(work, kInput, 1000, GptqOptions(), never)(InputTransform()), gptq_lost / total,
              1e-4 * gptq_lost / total);
  const double rtn_lost = Energies(work, RtnMethod({})).first;
  EXPECT_NEAR(*TransformScore(work, kInput, 1000, RtnOptions(), never)(InputTransform()), rtn_lost / total,
              1e-4 * rtn_lost / total);
}

TEST(TransformScoreTest, LinearsOnOtherGridsAreScoredOnTheirOwn) {
  UnitWork work = TwoLinears(20);
  work.linears[1].scheme = MakeScheme(4, 16, false);
  const Cancellation never;
  const auto [lost, total] = Energies(work, GptqMethod({}));
  const TransformScore score(work, kInput, 1000, GptqOptions(), never);
  EXPECT_NEAR(*score(InputTransform()), lost / total, 1e-4 * lost / total);
}

TEST(TransformScoreTest, TheDampingIsNoPartOfALoss) {
  // In the new basis it is half of the second moments; only what is stored counts.
  const UnitWork work = TwoLinears(20);
  const Cancellation never;
  const GptqOptions damped{0.5, true, true};
  InputTransform transform;
  const TransformScore score(work, kInput, 1000, damped, never);
  transform.scale = ConditioningScale(score.diagonal(), 0.5);
  UnitWork transformed = work;
  for (LinearWork& linear : transformed.linears) linear.weight = linear.weight * transform.scale;
  at::Tensor& moments = transformed.statistics.at(kInput).second_moment;
  moments = at::diag(1 / transform.scale).matmul(moments).matmul(at::diag(1 / transform.scale));
  const auto [lost, total] = Energies(transformed, GptqMethod(damped));
  EXPECT_NEAR(*score(transform), lost / total, 1e-3 * lost / total);
}

TEST(TransformScoreTest, ScalingAllInputsAlikeChangesNothing) {
  const UnitWork work = TwoLinears(40);
  const Cancellation never;
  const TransformScore score(work, kInput, 16, GptqOptions(), never);
  EXPECT_EQ(score.rows(), 16);
  InputTransform doubled;
  doubled.scale = ConditioningScale(score.diagonal(), 0) * 2;
  // Powers of two change no rounding.
  EXPECT_DOUBLE_EQ(*score(doubled), *score(InputTransform()));
}

TEST(TransformScoreTest, RowsAreScoredOnceAndFewOfThemStandForAll) {
  // Rows of the second linear are a thousand times those of the first.
  UnitWork work = TwoLinears(128);
  work.linears[1].weight = work.linears[1].weight * 1000;
  const Cancellation never;
  for (const TransformScore::Quantizer& quantizer :
       {TransformScore::Quantizer(GptqOptions()), TransformScore::Quantizer(RtnOptions())}) {
    const TransformScore score(work, kInput, 128, quantizer, never);
    const auto candidate = *score.Prepare(InputTransform());
    const double few = *candidate->Loss(16);
    EXPECT_NE(few, *candidate->Loss(32));
    const double all = *candidate->Loss(128);
    EXPECT_NEAR(all, *score(InputTransform()), 1e-6 * all);
    EXPECT_EQ(all, *candidate->Loss(1000)) << "there are no more";
    EXPECT_NEAR(few, all, 0.3 * all);
  }
}

TEST(TransformScoreTest, ErrorsOfLinearsAddUpToTheLoss) {
  const UnitWork work = TwoLinears(20);
  const Cancellation never;
  for (const TransformScore::Quantizer& quantizer :
       {TransformScore::Quantizer(GptqOptions()), TransformScore::Quantizer(RtnOptions())}) {
    const TransformScore score(work, kInput, 1000, quantizer, never);
    const TransformScore::Errors errors = *score.ErrorsOf(InputTransform());
    ASSERT_EQ(errors.linears.size(), 2);
    const at::Tensor moments = work.statistics.at(kInput).second_moment.to(at::kDouble);
    for (const TransformScore::RowErrors& linear : errors.linears) {
      const at::Tensor error = linear.error.to(at::kDouble);
      ASSERT_EQ(error.size(0), 10);
      const double expected = (error.matmul(moments) * error).sum().item<double>();
      EXPECT_NEAR(linear.output_error, expected, 1e-4 * expected);
    }
    EXPECT_EQ(errors.linears[0].name, "linear0");
    EXPECT_NEAR(errors.loss, *score(InputTransform()), 1e-6 * errors.loss);
  }
}

}  // namespace
}  // namespace heroq
