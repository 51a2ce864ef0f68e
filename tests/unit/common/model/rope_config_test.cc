#include "common/model/rope_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr int64_t kPositions = 4096;

RopeConfig Read(const char* text) {
  const json config = json::parse(text);
  const absl::StatusOr<RopeConfig> rope = ReadRopeConfig(ConfigFields(config, "config.json"), kPositions);
  EXPECT_TRUE(rope.ok()) << rope.status();
  return rope.ok() ? *rope : RopeConfig();
}

void ExpectRefused(const char* text, Reason reason, const std::string& message) {
  const json config = json::parse(text);
  const absl::Status status = ReadRopeConfig(ConfigFields(config, "config.json"), kPositions).status();
  EXPECT_TRUE(HasReason(status, reason)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("config.json: " + message));
}

TEST(RopeConfigTest, ThetaIsAtTheTopOrInTheParameters) {
  EXPECT_EQ(Read("{}").theta, 10000.0);
  EXPECT_EQ(Read(R"({"rope_theta": 500000, "rope_scaling": null})").theta, 500000.0);
  EXPECT_EQ(Read(R"({"rope_parameters": {"rope_theta": 100000.0, "rope_type": "default"}})").theta, 100000.0);
  EXPECT_EQ(Read(R"({"rope_theta": 7, "rope_parameters": {"rope_type": "default"}})").theta, 7.0);
  EXPECT_EQ(Read(R"({"rope_theta": 7, "rope_parameters": {"rope_type": "default"}})").kind,
            RopeKind::kDefault);
}

// As Llama 3.2 1B has it.
TEST(RopeConfigTest, Llama3ScalingIsReadInBothSpellings) {
  for (
      const char* text :
      {R"({"rope_theta": 500000.0, "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192, "rope_type": "llama3"}})",
       R"({"rope_parameters": {"rope_theta": 500000.0, "factor": 32.0, "high_freq_factor": 4.0,
            "low_freq_factor": 1.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}})"}) {
    const RopeConfig rope = Read(text);
    EXPECT_EQ(rope.kind, RopeKind::kLlama3);
    EXPECT_EQ(rope.theta, 500000.0);
    EXPECT_EQ(rope.factor, 32.0);
    EXPECT_EQ(rope.low_freq_factor, 1.0);
    EXPECT_EQ(rope.high_freq_factor, 4.0);
    EXPECT_EQ(rope.original_max_positions, 8192);
  }
}

// transformers' standardize_rope_params: the top level first, then the parameters, then
// max_position_embeddings.
TEST(RopeConfigTest, OriginalPositionsOfLlama3HaveThreeSources) {
  EXPECT_EQ(
      Read(R"({"original_max_position_embeddings": 1, "rope_scaling": {"rope_type": "llama3", "factor": 8,
                     "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 2}})")
          .original_max_positions,
      1);
  EXPECT_EQ(Read(R"({"rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1,
                     "high_freq_factor": 4}})")
                .original_max_positions,
            kPositions);
}

TEST(RopeConfigTest, LinearAndDynamicScalingTakeTheOldKeyToo) {
  const RopeConfig linear = Read(R"({"rope_scaling": {"type": "linear", "factor": 2.5}})");
  EXPECT_EQ(linear.kind, RopeKind::kLinear);
  EXPECT_EQ(linear.factor, 2.5);
  const RopeConfig dynamic = Read(R"({"rope_scaling": {"type": "dynamic", "factor": 4}})");
  EXPECT_EQ(dynamic.kind, RopeKind::kDynamic);
  EXPECT_EQ(dynamic.original_max_positions, kPositions);
}

TEST(RopeConfigTest, RopeScalingWinsOverRopeParameters) {
  EXPECT_EQ(
      Read(
          R"({"rope_scaling": {"type": "linear", "factor": 2}, "rope_parameters": {"rope_type": "default"}})")
          .kind,
      RopeKind::kLinear);
  EXPECT_EQ(Read(R"({"rope_scaling": {}, "rope_parameters": {"rope_type": "linear", "factor": 3}})").factor,
            3.0);
}

TEST(RopeConfigTest, WhatTheForwardPassDoesNotHaveIsRefused) {
  ExpectRefused(R"({"rope_scaling": {"rope_type": "yarn", "factor": 4}})", Reason::kUnsupported,
                "rope_scaling.rope_type: rope type \"yarn\", heroq has default, linear, dynamic and llama3");
  ExpectRefused(R"({"partial_rotary_factor": 0.5})", Reason::kUnsupported, "partial_rotary_factor: is 0.5");
  ExpectRefused(R"({"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.25}})",
                Reason::kUnsupported, "rope_parameters.partial_rotary_factor: is 0.25");
  ExpectRefused(R"({"rope_parameters": {"full_attention": {"rope_type": "default"}}})", Reason::kUnsupported,
                "rope_parameters.full_attention: heroq has no rope parameters per layer type");
}

TEST(RopeConfigTest, MissingAndWrongParametersAreNamed) {
  ExpectRefused(R"({"rope_scaling": {"type": "linear"}})", Reason::kFileCorrupt,
                "rope_scaling.factor: is missing");
  ExpectRefused(R"({"rope_scaling": {"type": "linear", "factor": -1}})", Reason::kFileCorrupt,
                "rope_scaling.factor: is -1, expected a positive number");
  ExpectRefused(R"({"rope_scaling": {"rope_type": "llama3", "factor": 8}})", Reason::kFileCorrupt,
                "rope_scaling.low_freq_factor: is missing");
  ExpectRefused(
      R"({"rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}})",
      Reason::kFileCorrupt, "rope_scaling.high_freq_factor: must be greater than low_freq_factor");
  ExpectRefused(R"({"rope_scaling": "linear"})", Reason::kFileCorrupt, "rope_scaling: must be an object");
  ExpectRefused(R"({"rope_theta": 0})", Reason::kFileCorrupt, "rope_theta: is 0");
}

}  // namespace
}  // namespace heroq
