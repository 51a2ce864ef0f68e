#include "coordinator/client/job_spec_file.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

absl::StatusOr<v1::JobSpec> Parse(const std::string& text) {
  return ParseJobSpecFile(text, "job.yaml", LocationReader::Local("/home/u"));
}

std::string ErrorOf(const std::string& text) {
  const auto spec = Parse(text);
  EXPECT_TRUE(HasReason(spec.status(), Reason::kInvalidSpec)) << text;
  return std::string(spec.status().message());
}

TEST(JobSpecFileTest, FieldsOfEveryKindAreRead) {
  const auto spec = Parse(R"(
model: {location: models/smol}
output:
  location: {root: local, path: tmp/out}
  max_shard_bytes: 2000000000
calibration:
  source:
    text_files: [a.txt, /b.txt]
  samples: 64
  seed: 18446744073709551615
  propagation: PROPAGATION_QUANTIZED
scheme:
  weight_bits: 3
  overrides:
    - pattern: down_proj
      keep: true
method:
  gptq: {damping: 0.05, act_order: false}
quality_gate: {max_kl: 0.2}
labels: {team: a, run: 7}
strict: true
)");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->model().location().path(), "home/u/models/smol");
  EXPECT_EQ(spec->output().location().path(), "tmp/out");
  EXPECT_EQ(spec->output().max_shard_bytes(), 2'000'000'000);
  EXPECT_EQ(spec->calibration().source().text_files(1).path(), "b.txt");
  EXPECT_EQ(spec->calibration().seed(), 18446744073709551615u);
  EXPECT_EQ(spec->calibration().propagation(), v1::PROPAGATION_QUANTIZED);
  EXPECT_EQ(spec->scheme().overrides(0).pattern(), "down_proj");
  EXPECT_TRUE(spec->scheme().overrides(0).keep());
  EXPECT_EQ(spec->method().gptq().damping(), 0.05);
  EXPECT_TRUE(spec->method().gptq().has_act_order());
  EXPECT_EQ(spec->labels().at("run"), "7");
  EXPECT_TRUE(spec->strict());
}

TEST(JobSpecFileTest, JsonWithCamelCaseNamesIsTheSame) {
  const auto spec = Parse(R"({"scheme": {"weightBits": 3, "groupSize": -1}})");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->scheme().weight_bits(), 3);
  EXPECT_EQ(spec->scheme().group_size(), -1);
}

TEST(JobSpecFileTest, UnknownFieldsAreNamedWithLineAndSuggestion) {
  EXPECT_EQ(ErrorOf("strict: true\nscheme:\n  weight_bit: 4\n"),
            "job.yaml:3: scheme has no field 'weight_bit'. Did you mean weight_bits?");
  EXPECT_EQ(ErrorOf("shceme: {}\n"), "job.yaml:1: the job has no field 'shceme'. Did you mean scheme?");
}

TEST(JobSpecFileTest, WrongValuesAreNamedWithLine) {
  EXPECT_EQ(ErrorOf("scheme:\n  weight_bits: four\n"),
            "job.yaml:2: scheme.weight_bits is 'four'; expected a number");
  EXPECT_EQ(ErrorOf("strict: yes\n"), "job.yaml:1: strict is 'yes'; expected true or false");
  EXPECT_EQ(ErrorOf("scheme: 4\n"), "job.yaml:1: scheme has fields; expected a mapping");
  EXPECT_EQ(ErrorOf("calibration:\n  source:\n    text_files: a.txt\n"),
            "job.yaml:3: calibration.source.text_files expects a list");
  EXPECT_EQ(ErrorOf("scheme:\n  symmetry: SYMMETRY_SYMETRIC\n"),
            "job.yaml:2: scheme.symmetry is 'SYMMETRY_SYMETRIC'. Did you mean SYMMETRY_SYMMETRIC?");
}

TEST(JobSpecFileTest, FieldsGivenTwiceAreRefused) {
  EXPECT_EQ(ErrorOf("strict: true\nstrict: false\n"), "job.yaml:2: strict is given twice");
  EXPECT_EQ(ErrorOf("scheme:\n  weight_bits: 4\n  weightBits: 3\n"),
            "job.yaml:3: scheme.weightBits is given twice");
}

TEST(JobSpecFileTest, LabelsAreOneValueForEachNameGivenOnce) {
  EXPECT_EQ(ErrorOf("labels:\n  a: [1]\n"), "job.yaml:2: labels expects one value for each name");
  EXPECT_EQ(ErrorOf("labels:\n  a: 1\n  a: 2\n"), "job.yaml:3: labels.a is given twice");
}

TEST(JobSpecFileTest, LimitsOfYamlAreKept) {
  EXPECT_EQ(ErrorOf("labels: &l {a: b}\n"), "job.yaml:1: anchors are not allowed here");
}

TEST(JobSpecFileTest, TwoMethodsAreRefused) { ErrorOf("method: {rtn: {}, gptq: {}}\n"); }

TEST(JobSpecFileTest, BrokenYamlIsNamedWithLine) { EXPECT_EQ(ErrorOf("a: [1\n").substr(0, 9), "job.yaml:"); }

TEST(JobSpecFileTest, EmptyFileIsAnEmptyJob) {
  const auto spec = Parse("# nothing yet\n");
  ASSERT_TRUE(spec.ok());
  EXPECT_FALSE(spec->has_model());
}

}  // namespace
}  // namespace heroq
