#include "coordinator/planning/memory_model.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

// One block with one linear of `width` x `width`.
ModelLayout Square(int64_t width) {
  ModelLayout layout;
  layout.hidden_size = layout.intermediate_size = width;
  layout.head_count = layout.kv_head_count = width / 64;
  layout.head_dim = 64;
  layout.vocab_size = 256;
  layout.block_count = 1;
  BlockLayout block;
  LinearLayout linear;
  linear.name = "down";
  linear.input = LinearInput::kMlpOut;
  linear.in_features = linear.out_features = width;
  block.linears.push_back(linear);
  layout.blocks.push_back(block);
  return layout;
}

v1::Plan Calibrated(int64_t width, int samples) {
  v1::Plan plan;
  plan.set_compute_type("bf16");
  plan.mutable_method()->mutable_gptq();
  v1::CalibrationSpec& calibration = *plan.mutable_calibration();
  calibration.mutable_source();
  calibration.set_samples(samples);
  calibration.set_sequence_length(64);
  calibration.set_shards(8);
  calibration.set_micro_batch(1);
  v1::PlannedUnit& unit = *plan.add_units();
  unit.set_unit("mlp");
  v1::PlannedLinear& linear = *unit.add_linears();
  linear.set_name("down");
  linear.set_input("mlp_out");
  linear.set_in_features(width);
  linear.set_out_features(width);
  linear.mutable_scheme()->set_weight_bits(4);
  linear.mutable_scheme()->set_activation_bits(16);
  return plan;
}

TEST(MemoryModelTest, FewTokensNeedTheWiderFactor) {
  constexpr int64_t kWidth = 8192;
  // 2 x 8192 tokens are enough for a factor in float32, one shard less is not.
  const WorkerMemory enough = EstimateWorkerMemory(Calibrated(kWidth, 256), Square(kWidth));
  const WorkerMemory few = EstimateWorkerMemory(Calibrated(kWidth, 248), Square(kWidth));
  EXPECT_EQ(few.phase, "quantization");
  // Its matrix has 8192^2 values: 256 MiB more of them in float64.
  EXPECT_GT(few.bytes - enough.bytes, 0);
  EXPECT_LT(few.bytes - enough.bytes, 300 * kMiB);
}

TEST(MemoryModelTest, QuantizationHoldsWeightMomentsAndFactor) {
  constexpr int64_t kWidth = 8192;
  v1::Plan plan = Calibrated(kWidth, 8);
  const WorkerMemory memory = EstimateWorkerMemory(plan, Square(kWidth));
  // float32 weight 256 MiB, second moments 256, damped in float64 512, packed factor 128, codes and copies of
  // the weight as it is solved.
  EXPECT_GT(memory.bytes, (256 + 256 + 512 + 128) * kMiB);
  EXPECT_LT(memory.bytes, 2048 * kMiB);
}

TEST(MemoryModelTest, HiddenStatesAreKeptWhileUnitsAreQuantized) {
  constexpr int64_t kWidth = 8192;
  v1::Plan plan = Calibrated(kWidth, 8);
  const WorkerMemory shorter = EstimateWorkerMemory(plan, Square(kWidth));
  plan.mutable_calibration()->set_samples(16);
  const WorkerMemory longer = EstimateWorkerMemory(plan, Square(kWidth));
  EXPECT_EQ(longer.phase, "quantization");
  // 8 sequences of 64 tokens more, of 8192 bfloat16 values, and the slack of all estimates.
  EXPECT_NEAR(static_cast<double>(longer.bytes - shorter.bytes), 1.06 * 8 * 64 * 8192 * 2, 2);
}

v1::Plan HeroQ(int64_t width, v1::Transform transform) {
  v1::Plan plan = Calibrated(width, 256);
  v1::HeroQParameters& hero_q = *plan.mutable_method()->mutable_hero_q();
  hero_q.mutable_gptq();
  hero_q.add_alphas(0.5);
  hero_q.set_score_rows(48);
  hero_q.set_first_score_rows(48);
  hero_q.set_transform(transform);
  return plan;
}

TEST(MemoryModelTest, RotationsLeaveSquaresBehindAndNoMoreThanAWorkerKeeps) {
  const auto added = [](int64_t width) {
    const ModelLayout layout = Square(width);
    const WorkerMemory scaled = EstimateWorkerMemory(HeroQ(width, v1::TRANSFORM_NONE), layout);
    const WorkerMemory rotated = EstimateWorkerMemory(HeroQ(width, v1::TRANSFORM_ONLINE), layout);
    EXPECT_EQ(rotated.phase, "quantization") << width;
    return static_cast<double>(rotated.bytes - scaled.bytes) / 1.06;
  };
  // A scaled input is factored beside two squares: 16 MiB, packed 8, panels 3 and five bytes a weight, 20;
  // with 64 MiB a square 64, 32, 6 and 80. A rotation is learned beside them on three copies of the weight.
  EXPECT_NEAR(added(2048), (7 * 16 + 3 * 16 - 47) * kMiB, 2) << "seven squares are left";
  EXPECT_NEAR(added(4096), (256 + 3 * 64 - 182) * kMiB, 2) << "no more is kept";
}

// Three alphas scored in rounds of 24 and 48 rows: their factors, of half a square each, are held from one to
// the next and leave as much behind.
TEST(MemoryModelTest, CandidatesForAlphaCountWhileTheyAreHeldAndAfter) {
  constexpr int64_t kWidth = 2048;
  v1::Plan plan = HeroQ(kWidth, v1::TRANSFORM_NONE);
  v1::HeroQParameters& hero_q = *plan.mutable_method()->mutable_hero_q();
  for (const double alpha : {0.1, 0.2}) hero_q.add_alphas(alpha);
  const WorkerMemory one_round = EstimateWorkerMemory(plan, Square(kWidth));
  hero_q.set_first_score_rows(24);
  const WorkerMemory two_rounds = EstimateWorkerMemory(plan, Square(kWidth));
  EXPECT_NEAR(static_cast<double>(two_rounds.bytes - one_round.bytes) / 1.06, 2 * 3 * 8 * kMiB, 2);
}

TEST(MemoryModelTest, AModelInHalvesNeedsNoMoreThanItsLargestUnit) {
  v1::Plan plan = Calibrated(1024, 8);
  const WorkerMemory one = EstimateWorkerMemory(plan, Square(1024));
  *plan.add_units() = plan.units(0);
  EXPECT_EQ(EstimateWorkerMemory(plan, Square(1024)).bytes, one.bytes);
}

TEST(MemoryModelTest, MoreTokensOnlyGrowWhatIsInFlight) {
  v1::Plan plan = Calibrated(1024, 8);
  const int64_t short_run = EstimateWorkerMemory(plan, Square(1024)).bytes;
  plan.mutable_calibration()->set_samples(1 << 20);
  // The hidden states kept for the next block are bounded; those of a shard of 2^17 sequences of 64 tokens
  // are not.
  const int64_t shard = (int64_t{1} << 17) * 64 * 1024 * 2;
  EXPECT_LT(EstimateWorkerMemory(plan, Square(1024)).bytes, short_run + 4 * shard);
  plan.mutable_calibration()->set_shards(4096);
  EXPECT_LT(EstimateWorkerMemory(plan, Square(1024)).bytes, short_run + 512 * kMiB);
}

}  // namespace
}  // namespace heroq
