#include "worker/methods/arhq_method.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/unit/worker/methods/unit_problem.h"
#include "worker/evaluation/signal_to_noise.h"

namespace heroq {
namespace {

constexpr int64_t kInputs = 32;

// Two linears of one input whose second channel is far larger than the others: rounded to 4 bits, a token
// keeps little else.
UnitWork Problem(int activation_bits) {
  UnitWork work;
  const RandomProblem problem = MakeProblem(40, kInputs, 200, 3);
  QuantScheme scheme{4, 16, true, activation_bits, ScaleType::kBf16};
  AddLinears(problem, LinearInput::kMlpIn, {16, 24}, scheme, &work);
  std::mt19937 generator(4);
  std::normal_distribution<float> normal;
  std::vector<float> rows(500 * kInputs);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = normal(generator) * (i % kInputs == 1 ? 20.0f : 1.0f);
  work.statistics[LinearInput::kMlpIn].kept =
      std::make_shared<const KeptActivations>(MatrixTensor(rows, 500, kInputs));
  return work;
}

ArhqOptions Options(ArhqOptions::Branch branch, int64_t rank) {
  ArhqOptions options;
  options.base = GptqOptions{};
  options.branch = branch;
  options.rank = rank;
  return options;
}

double Ratio(const UnitWork& work, const ArhqOptions& options, size_t index) {
  const auto unit = ArhqMethod(options).Quantize(work, {}, {});
  EXPECT_TRUE(unit.ok()) << unit.status();
  const LinearWork& rest = unit->transformed->linears[index];
  std::vector<float> values = Dequantize(unit->linears[index]);
  const at::Tensor stored = at::from_blob(values.data(), rest.weight.sizes(), at::kFloat);
  return SignalToNoiseDb(work.linears[index].weight, rest.weight, stored,
                         work.statistics.at(LinearInput::kMlpIn).kept->Moments(4))
      .value();
}

TEST(ArhqMethodTest, TheBranchAndWhatIsQuantizedAreTheWeight) {
  UnitWork work = Problem(4);
  work.stored_type = at::kBFloat16;
  const auto unit = ArhqMethod(Options(ArhqOptions::Branch::kResidual, 3)).Quantize(work, {}, {});
  ASSERT_TRUE(unit.ok()) << unit.status();
  ASSERT_EQ(unit->linears.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const LinearWork& rest = unit->transformed->linears[i];
    EXPECT_EQ(rest.branch.rank(), 3);
    const at::Tensor sum = rest.weight + at::mm(rest.branch.up, rest.branch.down);
    EXPECT_LT((sum - work.linears[i].weight).abs().max().item<float>(), 1e-6);
    EXPECT_TRUE(at::equal(rest.branch.up, rest.branch.up.to(at::kBFloat16).to(at::kFloat)));
    EXPECT_TRUE(at::equal(rest.branch.down, rest.branch.down.to(at::kBFloat16).to(at::kFloat)));
  }
}

TEST(ArhqMethodTest, ResidualBranchesLoseLessThanPlainOnesAndNone) {
  const UnitWork work = Problem(4);
  for (const size_t linear : {0, 1}) {
    const double none = Ratio(work, Options(ArhqOptions::Branch::kNone, 0), linear);
    const double plain = Ratio(work, Options(ArhqOptions::Branch::kPlain, 6), linear);
    const double residual = Ratio(work, Options(ArhqOptions::Branch::kResidual, 6), linear);
    EXPECT_GT(residual, plain);
    EXPECT_GT(plain, none);
  }
}

TEST(ArhqMethodTest, WithoutABranchItIsItsBase) {
  const UnitWork work = Problem(4);
  const auto none = ArhqMethod(Options(ArhqOptions::Branch::kNone, 0)).Quantize(work, {}, {});
  const auto base = GptqMethod(GptqOptions{}).Quantize(work, {}, {});
  ASSERT_TRUE(none.ok() && base.ok());
  EXPECT_EQ(none->linears[1].packed_codes, base->linears[1].packed_codes);
  EXPECT_FALSE(none->transformed->linears[1].branch.defined());
}

TEST(ArhqMethodTest, ResidualsNeedKeptActivationsAndASchemeThatQuantizesThem) {
  const ArhqMethod method(Options(ArhqOptions::Branch::kResidual, 2));
  EXPECT_TRUE(HasReason(method.Quantize(Problem(16), {}, {}).status(), Reason::kCalibrationRequired));
  UnitWork work = Problem(4);
  work.statistics[LinearInput::kMlpIn].kept = nullptr;
  EXPECT_TRUE(HasReason(method.Quantize(work, {}, {}).status(), Reason::kCalibrationRequired));
}

}  // namespace
}  // namespace heroq
