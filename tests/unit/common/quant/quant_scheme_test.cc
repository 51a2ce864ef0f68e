#include "common/quant/quant_scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

TEST(QuantSchemeTest, SchemesInRangeAreAccepted) {
  for (int bits = 2; bits <= 8; ++bits) {
    QuantScheme scheme;
    scheme.weight_bits = bits;
    scheme.activation_bits = bits;
    EXPECT_TRUE(ValidateScheme(scheme, 256, "x").ok()) << bits;
  }
  QuantScheme per_channel;
  per_channel.group_size = kPerChannel;
  EXPECT_TRUE(ValidateScheme(per_channel, 577, "x").ok());
}

TEST(QuantSchemeTest, ValuesOutOfRangeAreInvalidSpec) {
  QuantScheme scheme;
  scheme.weight_bits = 9;
  EXPECT_TRUE(HasReason(ValidateScheme(scheme, 256, "x"), Reason::kInvalidSpec));
  scheme = {};
  scheme.weight_bits = 1;
  EXPECT_TRUE(HasReason(ValidateScheme(scheme, 256, "x"), Reason::kInvalidSpec));
  scheme = {};
  scheme.activation_bits = 12;
  EXPECT_TRUE(HasReason(ValidateScheme(scheme, 256, "x"), Reason::kInvalidSpec));
  scheme = {};
  scheme.group_size = 0;
  EXPECT_TRUE(HasReason(ValidateScheme(scheme, 256, "x"), Reason::kInvalidSpec));
}

// 576 = 64 * 9.
TEST(QuantSchemeTest, AnIndivisibleGroupSizeListsThoseThatWork) {
  const absl::Status status = ValidateScheme({}, 576, "model.layers.0.self_attn.q_proj");
  EXPECT_TRUE(HasReason(status, Reason::kGroupSizeIndivisible));
  EXPECT_THAT(std::string(status.message()), HasSubstr("model.layers.0.self_attn.q_proj: group size 128"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("576 inputs; sizes that work: 16, 32, 64"));
  EXPECT_THAT(std::string(ValidateScheme({}, 577, "x").message()), HasSubstr("use one scale per channel"));
}

TEST(QuantSchemeTest, ShortFormNamesBitsGroupAndSymmetry) {
  EXPECT_EQ(ToString(QuantScheme{}), "W4A16 g128 asymmetric");
  EXPECT_EQ(ToString(QuantScheme{8, kPerChannel, true, 8, ScaleType::kBf16}), "W8A8 per-channel symmetric");
}

}  // namespace
}  // namespace heroq
