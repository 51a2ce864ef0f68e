#include "common/checkpoint/safetensors_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

TEST(SafetensorsWriterTest, WideElementsComeFirstThenNames) {
  const auto layout =
      LayOutSafetensors({{"z", DType::kU8, {3}}, {"b", DType::kF32, {1, 2}}, {"a", DType::kF32, {}}},
                        {{"k", "v"}, {"format", "pt"}});
  ASSERT_TRUE(layout.ok()) << layout.status();
  const std::string json =
      R"({"__metadata__":{"format":"pt","k":"v"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]},"z":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}})";
  const std::string padding((8 - json.size() % 8) % 8, ' ');
  EXPECT_EQ(layout->header.substr(8), json + padding);
  EXPECT_EQ(layout->header.substr(0, 8),
            std::string(1, static_cast<char>(json.size() + padding.size())) + std::string(7, '\0'));
  EXPECT_EQ(layout->data_bytes, 15);
  ASSERT_EQ(layout->tensors.size(), 3U);
  EXPECT_EQ(layout->tensors[2].spec.name, "z");
  EXPECT_EQ(layout->tensors[2].begin, 12);
  EXPECT_EQ(layout->tensors[2].end, 15);
}

TEST(SafetensorsWriterTest, WhatIsSerializedParsesBack) {
  const std::string numbers = "abcdefgh";
  const auto file = SerializeSafetensors({{{"b", DType::kI8, {5}}, "12345"},
                                          {{"a", DType::kI64, {1}}, numbers},
                                          {{"empty", DType::kBf16, {0, 7}}, ""}},
                                         {{"heroq", "test"}});
  ASSERT_TRUE(file.ok()) << file.status();
  const auto parsed = ParseSafetensors(*file, "blob");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->tensors.size(), 3U);
  EXPECT_EQ(parsed->tensors.at("a").bytes, numbers);
  EXPECT_EQ(parsed->tensors.at("b").bytes, "12345");
  EXPECT_EQ(parsed->tensors.at("empty").spec.shape, (std::vector<int64_t>{0, 7}));
  EXPECT_EQ(parsed->metadata.at("heroq"), "test");
  EXPECT_TRUE(ParseSafetensors(SerializeSafetensors({}).value(), "none")->tensors.empty());
}

void ExpectInvalid(const absl::Status& status, const std::string& rule) {
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(rule));
}

TEST(SafetensorsWriterTest, WhatNoFileCanHoldIsRefused) {
  ExpectInvalid(LayOutSafetensors({{"a", DType::kU8, {1}}, {"a", DType::kF32, {1}}}, {}).status(),
                "is given twice");
  ExpectInvalid(LayOutSafetensors({{"__metadata__", DType::kU8, {1}}}, {}).status(), "reserved");
  ExpectInvalid(LayOutSafetensors({{"a\xff", DType::kU8, {1}}}, {}).status(), "not UTF-8");
  ExpectInvalid(LayOutSafetensors({}, {{"k", "\xff"}}).status(), "metadata \"k\" is not UTF-8");
  ExpectInvalid(LayOutSafetensors({{"a", DType::kU8, {-1}}}, {}).status(), "dimension -1 is negative");
  const int64_t huge = int64_t{1} << 62;
  ExpectInvalid(LayOutSafetensors({{"a", DType::kF32, {huge}}}, {}).status(), "overflows 64 bits");
  ExpectInvalid(LayOutSafetensors({{"a", DType::kU8, {huge}}, {"b", DType::kU8, {huge}}}, {}).status(),
                "file's size overflows 64 bits");
  ExpectInvalid(SerializeSafetensors({{{"a", DType::kU8, {2}}, "x"}}).status(),
                "1 bytes, but its shape takes 2");
}

TEST(DTypeTest, NamesAndSizesAreThoseOfTheFormat) {
  EXPECT_EQ(ToString(DType::kBf16), "BF16");
  EXPECT_EQ(SizeOf(DType::kBf16), 2);
  EXPECT_EQ(ParseDType("BOOL"), DType::kBool);
  EXPECT_EQ(ParseDType("bf16"), std::nullopt);
  for (int i = 0; i <= static_cast<int>(DType::kU64); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(ParseDType(ToString(dtype)), dtype);
  }
}

}  // namespace
}  // namespace heroq
