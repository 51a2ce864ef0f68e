#include "coordinator/planning/job_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/status/error_reason.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

v1::JobSpec MinimalSpec() {
  v1::JobSpec spec;
  *spec.mutable_model()->mutable_location() = LocalPath("/model");
  *spec.mutable_output()->mutable_location() = LocalPath("/out");
  spec.mutable_method()->mutable_rtn();
  return spec;
}

v1::JobSpec CalibratedSpec() {
  v1::JobSpec spec = MinimalSpec();
  spec.mutable_method()->mutable_gptq();
  *spec.mutable_calibration()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
  return spec;
}

std::map<std::string, std::string> Problems(const v1::JobSpec& spec) {
  SpecViolations violations;
  CheckSpec(spec, violations);
  return ErrorMetadata(violations.ToStatus());
}

TEST(JobValidationTest, MinimalSpecsAreValid) {
  EXPECT_THAT(Problems(MinimalSpec()), IsEmpty());
  EXPECT_THAT(Problems(CalibratedSpec()), IsEmpty());
}

TEST(JobValidationTest, EveryViolationIsNamedNotTheFirst) {
  v1::JobSpec spec = CalibratedSpec();
  spec.mutable_model()->clear_location();
  spec.mutable_scheme()->set_weight_bits(9);
  spec.mutable_scheme()->set_group_size(-2);
  spec.mutable_scheme()->set_activation_bits(5);
  spec.mutable_scheme()->add_overrides()->set_pattern("(");
  spec.mutable_scheme()->mutable_overrides(0)->set_keep(true);
  spec.mutable_scheme()->add_overrides()->set_pattern("down");
  spec.mutable_calibration()->set_samples(-1);
  spec.mutable_calibration()->set_compute_type("int4");
  spec.mutable_method()->mutable_gptq()->set_damping(std::numeric_limits<double>::quiet_NaN());
  spec.mutable_quality_gate()->set_max_kl(0.5);
  spec.mutable_output()->set_format("gguf");
  const std::map<std::string, std::string> problems = Problems(spec);
  EXPECT_THAT(problems, UnorderedElementsAre(
                            Key("field:model.location.root"), Key("field:model.location.path"),
                            Key("field:scheme.weight_bits"), Key("field:scheme.group_size"),
                            Key("field:scheme.activation_bits"), Key("field:scheme.overrides[0].pattern"),
                            Key("field:scheme.overrides[1]"), Key("field:calibration.samples"),
                            Key("field:calibration.compute_type"), Key("field:method.gptq.damping"),
                            Key("field:quality_gate.max_kl"), Key("field:output.format")));
}

TEST(JobValidationTest, QuantizedPropagationQuantizesNoActivations) {
  v1::JobSpec spec = CalibratedSpec();
  spec.mutable_calibration()->set_propagation(v1::PROPAGATION_QUANTIZED);
  EXPECT_THAT(Problems(spec), IsEmpty());
  v1::SchemeOverride& entry = *spec.mutable_scheme()->add_overrides();
  entry.set_pattern("down");
  entry.mutable_scheme()->set_activation_bits(8);
  EXPECT_THAT(Problems(spec), Contains(Key("field:calibration.propagation")));
}

TEST(JobValidationTest, MethodsButRtnNeedCalibration) {
  v1::JobSpec spec = MinimalSpec();
  EXPECT_THAT(Problems(spec), IsEmpty());
  spec.mutable_method()->mutable_gptq();
  EXPECT_THAT(Problems(spec), Contains(Pair("field:calibration.source", HasSubstr("method gptq needs"))));
  spec.mutable_method()->mutable_dash_q();
  EXPECT_THAT(Problems(spec), Contains(Pair("field:calibration.source", HasSubstr("method dash-q needs"))));
}

TEST(JobValidationTest, RoundsOfAFitAreFromOneToAHundred) {
  v1::JobSpec spec = CalibratedSpec();
  for (const int rounds : {-1, 0, 1, 100, 101}) {
    spec.mutable_method()->mutable_dash_q()->set_rounds(rounds);
    EXPECT_EQ(Problems(spec).contains("field:method.dash_q.rounds"), rounds < 1 || rounds > 100) << rounds;
  }
}

TEST(JobValidationTest, FieldsOfAnAbsentCalibrationAreRefusedNotIgnored) {
  v1::JobSpec spec = MinimalSpec();
  spec.mutable_calibration()->set_samples(16);
  EXPECT_THAT(Problems(spec),
              Contains(Pair("field:calibration.samples", HasSubstr("no calibration.source"))));
}

TEST(JobValidationTest, MoreShardsThanSequencesAreRefused) {
  v1::JobSpec spec = CalibratedSpec();
  spec.mutable_calibration()->set_samples(4);
  spec.mutable_calibration()->set_shards(5);
  EXPECT_THAT(Problems(spec), Contains(Key("field:calibration.shards")));
}

TEST(JobValidationTest, TextAndTokensExcludeEachOther) {
  v1::JobSpec spec = CalibratedSpec();
  *spec.mutable_calibration()->mutable_source()->add_text_files() = LocalPath("/text");
  EXPECT_THAT(Problems(spec), Contains(Key("field:calibration.source")));
}

TEST(JobValidationTest, EvaluationOnlyJobsRefuseWhatTheyWouldIgnore) {
  v1::JobSpec spec = CalibratedSpec();
  *spec.mutable_evaluate_checkpoint() = LocalPath("/checkpoint");
  EXPECT_THAT(Problems(spec), AllOf(Contains(Key("field:output")), Contains(Key("field:calibration.source")),
                                    Contains(Key("field:method")), Contains(Key("field:evaluation.source"))));
  v1::JobSpec valid;
  *valid.mutable_model()->mutable_location() = LocalPath("/model");
  *valid.mutable_evaluate_checkpoint() = LocalPath("/checkpoint");
  *valid.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
  EXPECT_THAT(Problems(valid), IsEmpty());
}

TEST(JobValidationTest, ResolvedSpecsStayAsTheyAre) {
  ModelLayout layout;
  layout.max_positions = 1024;
  layout.dtype = DType::kF16;
  for (const v1::JobSpec& spec : {MinimalSpec(), CalibratedSpec()}) {
    const v1::JobSpec once = ResolveSpec(spec, layout);
    EXPECT_THAT(Problems(once), IsEmpty());
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(once, ResolveSpec(once, layout)));
  }
}

TEST(JobValidationTest, DefaultsAreTheDocumentedOnes) {
  ModelLayout layout;
  layout.max_positions = 1024;
  layout.dtype = DType::kF16;
  v1::JobSpec spec = CalibratedSpec();
  *spec.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
  const v1::JobSpec resolved = ResolveSpec(spec, layout);
  EXPECT_EQ(resolved.calibration().samples(), 128);
  EXPECT_EQ(resolved.calibration().sequence_length(), 1024) << "2048 is beyond this model's context";
  EXPECT_EQ(resolved.calibration().shards(), 8);
  EXPECT_EQ(resolved.calibration().micro_batch(), 2) << "2048 tokens";
  EXPECT_EQ(resolved.calibration().threads_per_task(), 1);
  EXPECT_EQ(resolved.calibration().propagation(), v1::PROPAGATION_FULL_PRECISION);
  EXPECT_EQ(resolved.calibration().compute_type(), "bf16");
  EXPECT_EQ(resolved.evaluation().sequences(), 32);
  EXPECT_EQ(resolved.evaluation().sequence_length(), 512);
  EXPECT_EQ(resolved.output().max_shard_bytes(), 5'000'000'000);
  EXPECT_EQ(resolved.scheme().weight_bits(), 4);
  EXPECT_DOUBLE_EQ(resolved.method().gptq().damping(), 0.01);
  EXPECT_TRUE(resolved.method().gptq().act_order());
  EXPECT_TRUE(resolved.method().gptq().scale_search());
  spec.mutable_method()->mutable_dash_q();
  EXPECT_EQ(ResolveSpec(spec, layout).method().dash_q().rounds(), 9);
  EXPECT_TRUE(ResolveSpec(spec, layout).method().dash_q().has_damped());
  EXPECT_FALSE(ResolveSpec(spec, layout).method().dash_q().damped());
}

TEST(JobValidationTest, ForwardCallsTakeAboutAsManyTokensWhateverTheLength) {
  ModelLayout layout;
  layout.max_positions = 8192;
  const auto micro_batch = [&](int length) {
    v1::JobSpec spec = CalibratedSpec();
    spec.mutable_calibration()->set_sequence_length(length);
    return ResolveSpec(spec, layout).calibration().micro_batch();
  };
  EXPECT_EQ(micro_batch(512), 4);
  EXPECT_EQ(micro_batch(2048), 1);
  EXPECT_EQ(micro_batch(4096), 1);
  v1::JobSpec rtn;
  *rtn.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
  EXPECT_EQ(ResolveSpec(rtn, layout).calibration().micro_batch(), 4) << "evaluation has sequences of 512";
}

TEST(JobValidationTest, SequencesLongerThanTheContextAreRefused) {
  ModelLayout layout;
  layout.max_positions = 512;
  v1::JobSpec spec = CalibratedSpec();
  spec.mutable_calibration()->set_sequence_length(513);
  SpecViolations violations;
  CheckSpecAgainstModel(spec, layout, violations);
  EXPECT_THAT(ErrorMetadata(violations.ToStatus()), Contains(Key("field:calibration.sequence_length")));
}

}  // namespace
}  // namespace heroq
