#include "worker/agent/unit_blob_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/half.h"
#include "common/quant/packing.h"
#include "common/status/error_reason.h"
#include "worker/agent/unit_blob_writer.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kOut = 6;
constexpr int64_t kIn = 96;

BlockLayout Block() {
  BlockLayout block;
  block.prefix = "block.";
  for (const char* name : {"block.a", "block.b"})
    block.linears.push_back({.name = name, .out_features = kOut, .in_features = kIn});
  return block;
}

template <typename T>
absl::string_view Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

struct Arrays {
  std::vector<int32_t> codes;
  std::vector<uint16_t> scales;
  std::vector<uint8_t> zeros;
};

Arrays MakeArrays(int bits, int64_t groups) {
  std::vector<uint8_t> codes(kOut * kIn);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint8_t>(i % (1u << bits));
  return {PackRows(codes, kOut, kIn, bits), std::vector<uint16_t>(kOut * groups, FloatToF16(0.5f)),
          std::vector<uint8_t>(kOut * groups, 1)};
}

std::string Blob(const std::string& name, int bits, int64_t groups, bool symmetric) {
  const Arrays arrays = MakeArrays(bits, groups);
  std::vector<NamedBytes> tensors = {
      {{name + ".codes", DType::kI32, {kOut, PackedWords(kIn, bits)}}, Bytes(arrays.codes)},
      {{name + ".scale", DType::kF16, {kOut, groups}}, Bytes(arrays.scales)}};
  if (!symmetric)
    tensors.push_back({{name + ".zero_point", DType::kU8, {kOut, groups}}, Bytes(arrays.zeros)});
  return SerializeSafetensors(tensors).value();
}

TEST(ReadUnitBlobTest, TheArraysTellTheScheme) {
  for (int bits = 2; bits <= 8; ++bits) {
    for (const int64_t groups : {1, 3}) {
      for (const bool symmetric : {true, false}) {
        const auto unit = ReadUnitBlob(Blob("block.b", bits, groups, symmetric), Block(), "unit");
        ASSERT_TRUE(unit.ok()) << unit.status();
        ASSERT_EQ(unit->linears.size(), 1u);
        const QuantizedLinear& linear = unit->linears.front();
        EXPECT_EQ(linear.name, "block.b");
        const QuantScheme expected{.weight_bits = bits,
                                   .group_size = groups == 1 ? kPerChannel : 32,
                                   .symmetric = symmetric,
                                   .scale_type = ScaleType::kF16};
        EXPECT_EQ(linear.scheme, expected);
        EXPECT_EQ(linear.packed_codes, MakeArrays(bits, groups).codes);
        EXPECT_EQ(linear.zero_points.empty(), symmetric);
      }
    }
  }
}

TEST(ReadUnitBlobTest, ABlobOfOtherLinearsIsRefused) {
  const auto unit = ReadUnitBlob(Blob("other", 4, 1, true), Block(), "unit x");
  EXPECT_TRUE(HasReason(unit.status(), Reason::kFileCorrupt));
  EXPECT_THAT(std::string(unit.status().message()), HasSubstr("unit x"));
}

TEST(ReadUnitBlobTest, RewrittenTensorsOfTheBlockComeWithTheirBytes) {
  const StoredTensor gain{{"block.norm.weight", DType::kF32, {2}}, std::string(8, 'g')};
  const StoredTensor bias{{"block.a.bias", DType::kF32, {1}}, std::string(4, 'b')};
  BlockLayout block = Block();
  block.norms.push_back({"block.norm.weight", {2}});
  const std::string bytes = WriteUnitBlob({{}, {gain, bias}}).value();
  const UnitBlob unit = ReadUnitBlob(bytes, block, "unit").value();
  EXPECT_TRUE(unit.linears.empty());
  ASSERT_EQ(unit.tensors.size(), 2u);
  EXPECT_EQ(unit.tensors[0].spec.name, "block.a.bias");
  EXPECT_EQ(unit.tensors[1].spec.name, "block.norm.weight");
  EXPECT_EQ(unit.tensors[1].spec.shape, std::vector<int64_t>{2});
  EXPECT_EQ(unit.tensors[1].bytes, gain.bytes);
}

TEST(ReadUnitBlobTest, ArraysThatDoNotFitTheLinearAreNamed) {
  const std::vector<int32_t> codes(kOut * 40);
  const std::vector<uint16_t> scales(kOut, FloatToF16(0.5f));
  const std::string blob = SerializeSafetensors({{{"block.a.codes", DType::kI32, {kOut, 40}}, Bytes(codes)},
                                                 {{"block.a.scale", DType::kF16, {kOut, 1}}, Bytes(scales)}})
                               .value();
  const absl::Status status = ReadUnitBlob(blob, Block(), "unit").status();
  EXPECT_TRUE(HasReason(status, Reason::kFileCorrupt));
  EXPECT_THAT(std::string(status.message()), HasSubstr("tensor block.a.codes: fits no bit width"));
}

}  // namespace
}  // namespace heroq
