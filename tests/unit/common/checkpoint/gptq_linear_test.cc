#include "common/checkpoint/gptq_linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/packing.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

constexpr int64_t kOut = 32, kIn = 64;

// Code (o, i) is (o + i) mod 16; one scale and zero point per row and group of 32: zero point (o + g) mod 16.
QuantizedLinear Linear(bool symmetric) {
  QuantScheme scheme;
  scheme.weight_bits = 4;
  scheme.group_size = 32;
  scheme.symmetric = symmetric;
  scheme.scale_type = ScaleType::kF16;
  QuantizedLinear linear{"l", kOut, kIn, scheme, {}, {}, {}};
  std::vector<uint8_t> codes;
  for (int64_t o = 0; o < kOut; ++o) {
    for (int64_t i = 0; i < kIn; ++i) codes.push_back(static_cast<uint8_t>((o + i) % 16));
    for (int64_t g = 0; g < 2; ++g) {
      linear.scales.push_back(static_cast<uint16_t>(0x3c00 + 2 * o + g));
      if (!symmetric) linear.zero_points.push_back(static_cast<uint8_t>((o + g) % 16));
    }
  }
  linear.packed_codes = PackRows(codes, kOut, kIn, 4);
  return linear;
}

absl::StatusOr<QuantizedLinear> ReadBack(const GptqArrays& arrays, LinearStorage storage) {
  const auto bytes = [](const auto& values) {
    return absl::string_view(reinterpret_cast<const char*>(values.data()),
                             values.size() * sizeof(values.front()));
  };
  MemoryFileSystem files;
  EXPECT_TRUE(files.CreateDirectories("/m").ok());
  const std::vector<NamedBytes> tensors = {{{"l.qweight", DType::kI32, {8, kOut}}, bytes(arrays.codes)},
                                           {{"l.qzeros", DType::kI32, {2, 4}}, bytes(arrays.zero_points)},
                                           {{"l.scales", DType::kF16, {2, kOut}}, bytes(arrays.scales)},
                                           {{"l.g_idx", DType::kI32, {kIn}}, bytes(arrays.group_index)}};
  EXPECT_TRUE(WriteFileAtomically(files, "/m/model.safetensors", *SerializeSafetensors(tensors)).ok());
  const auto reader = CheckpointReader::Open(files, "/m");
  EXPECT_TRUE(reader.ok()) << reader.status();
  return ReadGptqLinear(**reader, "l", storage, {kOut, kIn});
}

LinearStorage Storage(bool symmetric, LinearFormat format) {
  LinearStorage storage;
  storage.format = format;
  storage.scheme = Linear(symmetric).scheme;
  storage.group_index = GroupIndex::kAllowed;
  return storage;
}

TEST(GptqLinearTest, WordsGoDownTheInputsAndZeroPointsAlongTheOutputs) {
  const GptqArrays arrays = ToGptq(Linear(false), LinearFormat::kGptqV2);
  ASSERT_EQ(arrays.codes.size(), 8u * kOut);
  // Word 0 of column 0 holds inputs 0 to 7 of output 0; of column 1, those of output 1.
  EXPECT_EQ(static_cast<uint32_t>(arrays.codes[0]), 0x76543210u);
  EXPECT_EQ(static_cast<uint32_t>(arrays.codes[1]), 0x87654321u);
  EXPECT_EQ(static_cast<uint32_t>(arrays.codes[kOut]), 0xfedcba98u) << "inputs 8 to 15 of output 0";
  ASSERT_EQ(arrays.zero_points.size(), 2u * 4);
  EXPECT_EQ(static_cast<uint32_t>(arrays.zero_points[0]), 0x76543210u) << "group 0, outputs 0 to 7";
  EXPECT_EQ(static_cast<uint32_t>(arrays.zero_points[4]), 0x87654321u) << "group 1";
  EXPECT_EQ(arrays.scales[0], 0x3c00);
  EXPECT_EQ(arrays.scales[1], 0x3c02) << "output 1 of group 0";
  EXPECT_EQ(arrays.scales[kOut], 0x3c01) << "output 0 of group 1";
  EXPECT_EQ(arrays.group_index[31], 0);
  EXPECT_EQ(arrays.group_index[32], 1);
}

TEST(GptqLinearTest, VersionOneStoresZeroPointsLessOne) {
  EXPECT_THAT(ToGptq(Linear(true), LinearFormat::kGptq).zero_points, Each(0x77777777));
  // Zero wraps around.
  EXPECT_EQ(static_cast<uint32_t>(ToGptq(Linear(false), LinearFormat::kGptq).zero_points[0]), 0x6543210fu);
}

TEST(GptqLinearTest, WhatIsWrittenIsRead) {
  for (const LinearFormat format : {LinearFormat::kGptq, LinearFormat::kGptqV2}) {
    for (const bool symmetric : {true, false}) {
      const QuantizedLinear linear = Linear(symmetric);
      const auto read = ReadBack(ToGptq(linear, format), Storage(symmetric, format));
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(read->packed_codes, linear.packed_codes);
      EXPECT_EQ(read->scales, linear.scales);
      EXPECT_EQ(read->zero_points, linear.zero_points);
    }
  }
}

TEST(GptqLinearTest, GroupsInAnotherOrderAreNotComputedWith) {
  GptqArrays arrays = ToGptq(Linear(true), LinearFormat::kGptq);
  std::swap(arrays.group_index[0], arrays.group_index[40]);
  const absl::Status status = ReadBack(arrays, Storage(true, LinearFormat::kGptq)).status();
  EXPECT_TRUE(HasReason(status, Reason::kUnsupported));
  EXPECT_THAT(std::string(status.message()), HasSubstr("column 0 is in group 1"));
}

TEST(GptqLinearTest, AZeroPointOffTheMiddleOfASymmetricGridIsFound) {
  GptqArrays arrays = ToGptq(Linear(true), LinearFormat::kGptq);
  arrays.zero_points[3] = 0x77777776;
  const absl::Status status = ReadBack(arrays, Storage(true, LinearFormat::kGptq)).status();
  EXPECT_TRUE(HasReason(status, Reason::kModelInvalid));
  EXPECT_THAT(std::string(status.message()), HasSubstr("l.qzeros: holds another zero point than 8"));
}

}  // namespace
}  // namespace heroq
