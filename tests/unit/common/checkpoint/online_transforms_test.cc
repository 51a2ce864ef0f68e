#include "common/checkpoint/online_transforms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// A group as compressed-tensors 0.19 writes it, with a part in the weights and one in the input.
json Group() {
  return json::parse(
      R"({"type": "random-hadamard", "randomize": false, "requires_grad": false, "head_dim": 64,
    "precision": "torch.float32", "apply": [
      {"targets": ["re:.*down_proj$", "a.q"], "location": "input", "inverse": false, "ignore": ["b.down_proj"]},
      {"targets": ["re:.*up_proj$"], "location": "weight_output", "inverse": true, "ignore": []}]})");
}

absl::StatusOr<OnlineTransforms> Parse(const json& config) {
  static const std::string& path = *new std::string("config.json");
  return OnlineTransforms::Parse(config, QuantizationFields(path));
}

absl::StatusOr<OnlineTransforms> ParseGroup(const json& group) {
  return Parse({{"config_groups", {{"R4", group}}}});
}

TEST(OnlineTransformsTest, TheInputOfNamedLinearsIsRotated) {
  const OnlineTransforms transforms = ParseGroup(Group()).value();
  EXPECT_EQ(transforms.RotationOf("a.down_proj").value(), (OnlineRotation{"R4", 64}));
  EXPECT_EQ(transforms.RotationOf("a.q").value(), (OnlineRotation{"R4", 64}));
  EXPECT_FALSE(transforms.RotationOf("a.qq").value().has_value());
  EXPECT_FALSE(transforms.RotationOf("b.down_proj").value().has_value()) << "ignored";
  EXPECT_FALSE(transforms.RotationOf("a.up_proj").value().has_value()) << "in its weight already";
}

TEST(OnlineTransformsTest, NothingIsRotatedWithoutGroups) {
  for (const json& config : {json(nullptr), json::object(), json{{"config_groups", json::object()}}}) {
    const auto transforms = Parse(config);
    ASSERT_TRUE(transforms.ok()) << transforms.status();
    EXPECT_TRUE(transforms->empty());
  }
}

TEST(OnlineTransformsTest, TwoTransformsOfOneInputAreRefusedByName) {
  const OnlineTransforms transforms = Parse({{"config_groups", {{"A", Group()}, {"B", Group()}}}}).value();
  const absl::Status status = transforms.RotationOf("a.q").status();
  EXPECT_TRUE(HasReason(status, Reason::kUnsupported)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("the input of a.q by \"A\" and \"B\""));
}

TEST(OnlineTransformsTest, WhatWouldBeComputedWronglyIsNamed) {
  const auto expect_refused = [](const char* pointer, const json& value, const std::string& field) {
    json group = Group();
    group[json::json_pointer(pointer)] = value;
    const absl::Status status = ParseGroup(group).status();
    EXPECT_TRUE(HasReason(status, Reason::kUnsupported)) << pointer << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("transform_config.config_groups.R4." + field));
  };
  expect_refused("/type", "hadamard", "type");
  expect_refused("/type", nullptr, "type");
  expect_refused("/randomize", true, "randomize");
  expect_refused("/head_dim", nullptr, "head_dim");
  expect_refused("/head_dim", 0, "head_dim");
  expect_refused("/head_dim", 4096, "head_dim");
  expect_refused("/head_dim", 64.5, "head_dim");
  expect_refused("/fold", true, "fold");
  expect_refused("/apply", "a.q", "apply");
  expect_refused("/apply/0", "a.q", "apply");
  expect_refused("/apply/0/location", "output", "apply.location");
  expect_refused("/apply/0/location", "k_cache", "apply.location");
  expect_refused("/apply/0/inverse", true, "apply.inverse");
  expect_refused("/apply/0/targets", nullptr, "apply.targets");
  expect_refused("/apply/0/targets/0", 3, "apply.targets");
  expect_refused("/apply/0/scale", 2, "apply.scale");
  EXPECT_TRUE(HasReason(Parse(json::array()).status(), Reason::kUnsupported));
  EXPECT_TRUE(HasReason(Parse({{"config_groups", 3}}).status(), Reason::kUnsupported));
  EXPECT_TRUE(HasReason(Parse({{"other", 3}}).status(), Reason::kUnsupported));
}

TEST(OnlineTransformsTest, MatricesLieBesideTheirLinear) {
  EXPECT_EQ(OnlineTensorName("model.layers.0.mlp.down_proj", "R4"),
            "model.layers.0.mlp.down_proj.R4_input.weight");
}

}  // namespace
}  // namespace heroq
