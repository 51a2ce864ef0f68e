#include "coordinator/client/job_flags.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "coordinator/client/command_line.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"

namespace heroq {
namespace {

// The job of `heroq quantize ARGUMENTS`, started in /home/u.
absl::StatusOr<v1::JobSpec> SpecFor(const std::vector<std::string>& arguments) {
  CommandLine line;
  std::vector<std::string> all = {"quantize"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  if (absl::Status status = line.Parse(all); !status.ok()) return status;
  v1::JobSpec spec;
  if (absl::Status status = ApplyJobFlags(line.job, LocationReader::Local("/home/u"), spec); !status.ok())
    return status;
  return spec;
}

void ExpectSpec(const std::vector<std::string>& arguments, const std::string& expected_text) {
  v1::JobSpec expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(expected_text, &expected));
  const auto spec = SpecFor(arguments);
  ASSERT_TRUE(spec.ok()) << spec.status();
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(expected, *spec)) << difference;
}

TEST(JobFlagsTest, PlainJobLeavesDefaultsToTheServer) {
  ExpectSpec({"m", "--output", "out"},
             "model { location { root: 'local' path: 'home/u/m' } }"
             "output { location { root: 'local' path: 'home/u/out' } }"
             "method { gptq {} }");
}

TEST(JobFlagsTest, TransformFlagsAreOfHeroQAndItsBaseTakesItsOwn) {
  ExpectSpec({"m", "--output", "out", "--method", "hero-q", "--transform", "none", "--rotation", "hadamard",
              "--tier", "best", "--alpha", "0", "0.5", "--base", "gptq", "--damping", "0.1"},
             "model { location { root: 'local' path: 'home/u/m' } }"
             "output { location { root: 'local' path: 'home/u/out' } }"
             "method { hero_q { gptq { damping: 0.1 } transform: TRANSFORM_NONE rotation: ROTATION_HADAMARD"
             " tier: TIER_BEST alphas: 0 alphas: 0.5 } }");
  ExpectSpec({"m", "--output", "out", "--method", "hero-q", "--rotation-steps", "9", "--base", "rtn",
              "--scale-search", "off"},
             "model { location { root: 'local' path: 'home/u/m' } }"
             "output { location { root: 'local' path: 'home/u/out' } }"
             "method { hero_q { rtn { scale_search: false } rotation_steps: 9 } }");
  ExpectSpec({"m", "--output", "out", "--method", "hero-q", "--base", "awq", "--scale-steps", "9"},
             "model { location { root: 'local' path: 'home/u/m' } }"
             "output { location { root: 'local' path: 'home/u/out' } }"
             "method { hero_q { awq { steps: 9 } } }");
  ExpectSpec({"m", "--output", "out", "--method", "awq", "--scale-search", "off"},
             "model { location { root: 'local' path: 'home/u/m' } }"
             "output { location { root: 'local' path: 'home/u/out' } }"
             "method { awq { scale_search: false } }");
  EXPECT_EQ(SpecFor({"m", "--output", "out", "--method", "awq", "--base", "rtn"}).status().message(),
            "--base rtn has no meaning for --method awq");
  EXPECT_EQ(SpecFor({"m", "--output", "out", "--tier", "best"}).status().message(),
            "--tier has no meaning for --method gptq");
  EXPECT_EQ(SpecFor({"m", "--output", "out", "--method", "hero-q", "--base", "rtn", "--damping", "0.1"})
                .status()
                .message(),
            "--damping has no meaning for --method hero-q");
}

TEST(JobFlagsTest, EveryFlagSetsItsField) {
  ExpectSpec({"m",
              "--output",
              "out",
              "--method",
              "gptq",
              "--bits",
              "3",
              "--group-size",
              "64",
              "--symmetric",
              "off",
              "--calibration",
              "a.txt",
              "b.jsonl",
              "--samples",
              "64",
              "--sequence-length",
              "512",
              "--shards",
              "4",
              "--micro-batch",
              "2",
              "--threads",
              "3",
              "--seed",
              "7",
              "--propagation",
              "quantized",
              "--compute",
              "f32",
              "--act-order",
              "off",
              "--scale-search",
              "off",
              "--damping",
              "0.05",
              "--evaluation",
              "held.txt",
              "--evaluation-sequences",
              "16",
              "--evaluation-length",
              "256",
              "--max-perplexity-ratio",
              "1.1",
              "--max-kl",
              "0.2",
              "--format",
              "compressed-tensors",
              "--max-shard-size",
              "2GB",
              "--tensor-parallel",
              "2",
              "--strict"},
             R"(model { location { root: 'local' path: 'home/u/m' } }
                output { location { root: 'local' path: 'home/u/out' } format: 'compressed-tensors'
                         max_shard_bytes: 2000000000 }
                calibration {
                  source { text_files { root: 'local' path: 'home/u/a.txt' }
                           text_files { root: 'local' path: 'home/u/b.jsonl' } }
                  samples: 64 sequence_length: 512 shards: 4 micro_batch: 2 threads_per_task: 3 seed: 7
                  propagation: PROPAGATION_QUANTIZED compute_type: 'f32' }
                scheme { weight_bits: 3 group_size: 64 symmetry: SYMMETRY_ASYMMETRIC }
                method { gptq { damping: 0.05 act_order: false scale_search: false } }
                evaluation { source { text_files { root: 'local' path: 'home/u/held.txt' } }
                             sequences: 16 sequence_length: 256 }
                quality_gate { max_perplexity_ratio: 1.1 max_kl: 0.2 }
                target_tensor_parallel: 2 strict: true)");
}

TEST(JobFlagsTest, RtnHasItsOwnParameters) {
  ExpectSpec(
      {"m", "--output", "/o", "--method", "rtn", "--scale-search", "on"},
      "model { location { root: 'local' path: 'home/u/m' } } output { location { root: 'local' path: 'o' } }"
      "method { rtn { scale_search: true } }");
}

TEST(JobFlagsTest, DashQHasItsOwnParameters) {
  ExpectSpec(
      {"m", "--output", "/o", "--method", "dash-q", "--fit-rounds", "5", "--fit-damped", "on"},
      "model { location { root: 'local' path: 'home/u/m' } } output { location { root: 'local' path: 'o' } }"
      "method { dash_q { rounds: 5 damped: true } }");
}

TEST(JobFlagsTest, KeptLinearsComeBeforeOverrides) {
  ExpectSpec(
      {"m", "--output", "/o", "--override", "down_proj=w8", "--override", "q_proj=w6,channel", "--keep",
       "layers\\.0\\."},
      R"(model { location { root: 'local' path: 'home/u/m' } } output { location { root: 'local' path: 'o' } }
                scheme { overrides { pattern: 'layers\\.0\\.' keep: true }
                         overrides { pattern: 'down_proj' scheme { weight_bits: 8 } }
                         overrides { pattern: 'q_proj' scheme { weight_bits: 6 group_size: -1 } } }
                method { gptq {} })");
}

TEST(JobFlagsTest, TokensReplaceText) {
  ExpectSpec(
      {"m", "--output", "/o", "--calibration-tokens", "t.safetensors", "--evaluation-tokens",
       "e.safetensors"},
      R"(model { location { root: 'local' path: 'home/u/m' } } output { location { root: 'local' path: 'o' } }
                calibration { source { tokens_file { root: 'local' path: 'home/u/t.safetensors' } } }
                evaluation { source { tokens_file { root: 'local' path: 'home/u/e.safetensors' } } }
                method { gptq {} })");
}

TEST(JobFlagsTest, ContradictionsAreRefused) {
  const std::vector<std::vector<std::string>> contradictions = {
      {"m", "--calibration", "a", "--calibration-tokens", "b"},
      {"m", "--evaluation", "a", "--evaluation-tokens", "b"},
      {"m", "--method", "rtn", "--act-order", "on"},
      {"m", "--method", "rtn", "--damping", "0.1"},
      {"m", "--method", "dash-q", "--scale-search", "on"},
      {"m", "--method", "gptq", "--fit-rounds", "3"},
      {"m", "--method", "rtn", "--fit-damped", "on"},
  };
  for (const auto& arguments : contradictions) {
    const auto spec = SpecFor(arguments);
    ASSERT_FALSE(spec.ok()) << arguments[1];
    EXPECT_TRUE(HasReason(spec.status(), Reason::kInvalidSpec));
  }
}

TEST(JobFlagsTest, ValuesOutsideAListAreRefused) {
  const std::vector<std::vector<std::string>> wrong = {
      {"m", "--bits", "9"},         {"m", "--bits", "1"},           {"m", "--bits", "x"},
      {"m", "--method", "magic"},   {"m", "--symmetric", "yes"},    {"m", "--compute", "f8"},
      {"m", "--act-order", "true"}, {"m", "--propagation", "none"}, {"m", "--format", "gguf"},
      {"m", "--seed", "-1"},        {"m", "--samples", "1.5"},
  };
  for (const auto& arguments : wrong)
    EXPECT_FALSE(SpecFor(arguments).ok()) << arguments[1] << " " << arguments[2];
}

TEST(JobFlagsTest, FlagsOverrideAFilesFields) {
  CommandLine line;
  ASSERT_TRUE(line.Parse({"quantize", "m", "--bits", "3"}).ok());
  v1::JobSpec spec;
  spec.mutable_scheme()->set_weight_bits(8);
  spec.mutable_scheme()->set_group_size(32);
  spec.mutable_method()->mutable_rtn();
  ASSERT_TRUE(ApplyJobFlags(line.job, LocationReader::Local("/"), spec).ok());
  EXPECT_EQ(spec.scheme().weight_bits(), 3);
  EXPECT_EQ(spec.scheme().group_size(), 32);
  EXPECT_TRUE(spec.method().has_rtn());
}

TEST(JobFlagsTest, ZeroIsNoDefaultAndNoGate) {
  for (const char* flag :
       {"--samples", "--shards", "--evaluation-length", "--max-kl", "--max-perplexity-ratio"}) {
    const absl::Status status = SpecFor({"m", flag, "0"}).status();
    EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec)) << flag;
    EXPECT_EQ(status.message().find(std::string(flag) + ": Value 0 "), 0u) << status;
  }
  EXPECT_FALSE(SpecFor({"m", "--max-kl", "nan"}).ok());
}

}  // namespace
}  // namespace heroq
