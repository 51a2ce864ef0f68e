#include "coordinator/assembly/result_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "common/checkpoint/safetensors_writer.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

v1::PlannedUnit Unit() {
  v1::PlannedUnit unit;
  v1::PlannedLinear& linear = *unit.add_linears();
  linear.set_name("l");
  linear.set_out_features(2);
  linear.set_in_features(8);
  linear.mutable_scheme()->set_weight_bits(4);
  linear.mutable_scheme()->set_group_size(8);
  linear.mutable_scheme()->set_scale_type(v1::SCALE_TYPE_BF16);
  linear.mutable_scheme()->set_activation_bits(16);
  return unit;
}

// Codes 0..7 and 8..15: nibbles from the least significant; scales 1 and 2; zero points 3 and 5.
const std::vector<uint32_t> kCodes = {0x76543210, 0xfedcba98};
const std::vector<uint16_t> kScales = {0x3f80, 0x4000};
const std::vector<uint8_t> kZeros = {3, 5};

template <typename T>
absl::string_view Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::vector<NamedBytes> Tensors() {
  return {{{"l.codes", DType::kI32, {2, 1}}, Bytes(kCodes)},
          {{"l.scale", DType::kBf16, {2, 1}}, Bytes(kScales)},
          {{"l.zero_point", DType::kU8, {2, 1}}, Bytes(kZeros)}};
}

TEST(ResultReaderTest, ReadsALinearAndPacksItAsCompressedTensorsDoes) {
  const auto result = ReadUnitBlob(*SerializeSafetensors(Tensors()), Unit());
  ASSERT_TRUE(result.ok()) << result.status();
  const std::vector<TensorBytes> packed =
      StoredTensors(result->linears.front(), LinearFormat::kPackQuantized);
  ASSERT_EQ(packed.size(), 4u);
  EXPECT_EQ(packed[0].name, "l.weight_packed");
  EXPECT_EQ(packed[0].bytes, Bytes(kCodes));
  EXPECT_EQ(packed[1].bytes, Bytes(kScales));
  // One column of two 4-bit zero points: 3 | 5 << 4.
  EXPECT_EQ(packed[2].name, "l.weight_zero_point");
  EXPECT_EQ(packed[2].bytes, std::string("\x53\0\0\0", 4));
  EXPECT_EQ(packed[3].bytes, std::string("\2\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0", 16));
}

TEST(ResultReaderTest, LinearsWithQuantizedActivationsAreSignedBytes) {
  v1::PlannedUnit unit = Unit();
  unit.mutable_linears(0)->mutable_scheme()->set_activation_bits(8);
  const auto result = ReadUnitBlob(*SerializeSafetensors(Tensors()), unit);
  ASSERT_TRUE(result.ok()) << result.status();
  const std::vector<TensorBytes> stored = StoredTensors(result->linears.front(), LinearFormat::kIntQuantized);
  ASSERT_EQ(stored.size(), 3u);
  EXPECT_EQ(stored[0].name, "l.weight");
  // Codes 0 to 15 less the middle one, 8.
  EXPECT_EQ(stored[0].bytes, "\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff" + std::string("\0\1\2\3\4\5\6\7", 8));
  EXPECT_EQ(stored[1].bytes, Bytes(kScales));
  EXPECT_EQ(stored[2].name, "l.weight_zero_point");
  EXPECT_EQ(stored[2].bytes, "\xfb\xfd");
}

TEST(ResultReaderTest, RewrittenTensorsAreTakenAsTheyWerePlanned) {
  v1::PlannedUnit unit = Unit();
  v1::RewrittenTensor& gain = *unit.add_tensors();
  gain.set_name("norm.weight");
  gain.set_dtype("BF16");
  gain.add_shape(2);
  std::vector<NamedBytes> tensors = Tensors();
  tensors.push_back({{"norm.weight", DType::kBf16, {2}}, Bytes(kScales)});
  const auto result = ReadUnitBlob(*SerializeSafetensors(tensors), unit);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->tensors.size(), 1u);
  EXPECT_EQ(result->tensors[0].name, "norm.weight");
  EXPECT_EQ(result->tensors[0].bytes, Bytes(kScales));
  EXPECT_THAT(ReadUnitBlob(*SerializeSafetensors(Tensors()), unit).status().message(),
              HasSubstr("lacks tensor norm.weight"));
  tensors.back().spec.dtype = DType::kF16;
  EXPECT_THAT(ReadUnitBlob(*SerializeSafetensors(tensors), unit).status().message(),
              HasSubstr("norm.weight is F16 [2], expected BF16 [2]"));
}

TEST(ResultReaderTest, MissingExtraAndMisshapenTensorsAreRefusedByName) {
  std::vector<NamedBytes> tensors = Tensors();
  tensors.pop_back();
  EXPECT_THAT(ReadUnitBlob(*SerializeSafetensors(tensors), Unit()).status().message(),
              HasSubstr("lacks tensor l.zero_point"));
  tensors = Tensors();
  tensors.push_back({{"l.other", DType::kU8, {2}}, Bytes(kZeros)});
  EXPECT_THAT(ReadUnitBlob(*SerializeSafetensors(tensors), Unit()).status().message(),
              HasSubstr("4 tensors, expected 3"));
  tensors = Tensors();
  tensors[1].spec.shape = {1, 2};
  EXPECT_THAT(ReadUnitBlob(*SerializeSafetensors(tensors), Unit()).status().message(),
              HasSubstr("l.scale is BF16 [1, 2], expected BF16 [2, 1]"));
}

TEST(ResultReaderTest, ScalesMustBePositive) {
  const std::vector<uint16_t> scales = {0x3f80, 0};
  std::vector<NamedBytes> tensors = Tensors();
  tensors[1].bytes = Bytes(scales);
  EXPECT_THAT(ReadUnitBlob(*SerializeSafetensors(tensors), Unit()).status().message(), HasSubstr("positive"));
}

}  // namespace
}  // namespace heroq
