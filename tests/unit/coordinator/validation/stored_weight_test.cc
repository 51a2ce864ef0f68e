#include "coordinator/validation/stored_weight.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/packing.h"
#include "coordinator/validation/linear_check.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

constexpr int64_t kOut = 8, kIn = 16;
const LinearLayout kLayout{"l", kOut, kIn};

// One linear of 4 bits and groups of 8, What(o, i) = (1 + group) * (code - zero): codes (o + i) mod 16.
class StoredWeightTest : public testing::Test {
 protected:
  void Add(const std::string& name, DType dtype, std::vector<int64_t> shape, const void* data) {
    TensorSpec spec{name, dtype, std::move(shape)};
    data_.emplace_back(static_cast<const char*>(data), static_cast<size_t>(spec.bytes()));
    specs_.push_back(std::move(spec));
  }
  const CheckpointReader& Write() {
    std::vector<NamedBytes> tensors;
    for (size_t i = 0; i < specs_.size(); ++i) tensors.push_back({specs_[i], data_[i]});
    EXPECT_TRUE(files_.CreateDirectories("/m").ok());
    EXPECT_TRUE(WriteFileAtomically(files_, "/m/model.safetensors", *SerializeSafetensors(tensors)).ok());
    reader_ = *CheckpointReader::Open(files_, "/m");
    return *reader_;
  }
  // Zero points `zero`, stored as `stored_zero`; column i in group index[i].
  const CheckpointReader& WriteGptq(uint32_t stored_zero, const std::vector<int32_t>& index) {
    std::vector<uint32_t> codes(kIn / 8 * kOut), zeros(2, 0);
    for (int64_t o = 0; o < kOut; ++o) {
      for (int64_t i = 0; i < kIn; ++i) codes[i / 8 * kOut + o] |= ((o + i) % 16) << (4 * (i % 8));
      for (int group = 0; group < 2; ++group) zeros[group] |= stored_zero << (4 * o);
    }
    std::vector<float> scales(2 * kOut, 1);
    std::fill(scales.begin() + kOut, scales.end(), 2);
    Add("l.qweight", DType::kI32, {kIn / 8, kOut}, codes.data());
    Add("l.qzeros", DType::kI32, {2, 1}, zeros.data());
    Add("l.scales", DType::kF32, {2, kOut}, scales.data());
    Add("l.g_idx", DType::kI32, {kIn}, index.data());
    return Write();
  }
  static LinearStorage Gptq(LinearFormat format, bool symmetric) {
    LinearStorage storage{format, {}, GroupIndex::kAnyOrder};
    storage.scheme.group_size = 8;
    storage.scheme.symmetric = symmetric;
    return storage;
  }
  static std::vector<uint8_t> CodesOf(const StoredWeight& weight) {
    return UnpackRows(weight.packed_codes, weight.out_features, weight.in_features, weight.bits);
  }
  static void ExpectWeight(const StoredWeight& weight, int zero, const std::function<int(int64_t)>& group) {
    const std::vector<uint8_t> codes = CodesOf(weight);
    for (int64_t o = 0; o < kOut; ++o) {
      for (int64_t i = 0; i < kIn; ++i) {
        const int64_t at = o * weight.groups + weight.group_of[i];
        EXPECT_EQ(weight.group_of[i], group(i));
        EXPECT_EQ(codes[o * kIn + i], (o + i) % 16);
        EXPECT_EQ(weight.zero_points[at], zero);
        EXPECT_EQ(weight.scales[at], 1 + group(i));
      }
    }
  }

  MemoryFileSystem files_;
  std::vector<TensorSpec> specs_;
  std::vector<std::string> data_;
  std::unique_ptr<CheckpointReader> reader_;
};

std::vector<int32_t> Alternating() {
  std::vector<int32_t> index(kIn);
  for (int64_t i = 0; i < kIn; ++i) index[i] = i % 2;
  return index;
}

TEST_F(StoredWeightTest, GptqPacksCodesAlongInputsAndZeroPointsAlongOutputs) {
  const CheckpointReader& reader = WriteGptq(5, Alternating());
  const auto alternating = [](int64_t i) { return static_cast<int>(i % 2); };
  ExpectWeight(*ReadStoredWeight(reader, kLayout, Gptq(LinearFormat::kGptqV2, false)), 5, alternating);
  ExpectWeight(*ReadStoredWeight(reader, kLayout, Gptq(LinearFormat::kGptq, false)), 6, alternating);
}

TEST_F(StoredWeightTest, VersionOneStoresZeroAsTheLargestCode) {
  const CheckpointReader& reader = WriteGptq(15, Alternating());
  EXPECT_EQ(ReadStoredWeight(reader, kLayout, Gptq(LinearFormat::kGptq, false))->zero_points[0], 0);
}

TEST_F(StoredWeightTest, ASymmetricGptqLinearHasTheMiddleAsItsZeroPoint) {
  const CheckpointReader& reader = WriteGptq(7, Alternating());
  Findings findings;
  EXPECT_TRUE(*CheckQuantizedLinear(reader, kLayout, Gptq(LinearFormat::kGptq, true), findings));
  EXPECT_TRUE(findings.Take().findings().empty());
  EXPECT_FALSE(*CheckQuantizedLinear(reader, kLayout, Gptq(LinearFormat::kGptqV2, true), findings));
  const v1::ValidateCheckpointResponse found = findings.Take();
  ASSERT_EQ(found.findings_size(), 1);
  EXPECT_EQ(found.findings(0).rule(), "zero_point_not_middle");
  EXPECT_EQ(found.findings(0).tensor(), "l.qzeros");
  EXPECT_EQ(found.findings(0).found(), "7");
}

TEST_F(StoredWeightTest, WholeBytesMustBeCodesOfTheirBits) {
  std::vector<int8_t> codes(kOut * kIn, -8);
  const std::vector<float> scales(kOut, 1);
  Add("l.weight", DType::kI8, {kOut, kIn}, codes.data());
  Add("l.weight_scale", DType::kF32, {kOut, 1}, scales.data());
  LinearStorage storage{LinearFormat::kIntQuantized, {}, GroupIndex::kAbsent};
  storage.scheme.group_size = kPerChannel;
  storage.scheme.symmetric = true;
  const CheckpointReader& reader = Write();
  Findings findings;
  EXPECT_TRUE(*CheckQuantizedLinear(reader, kLayout, storage, findings));
  const StoredWeight weight = *ReadStoredWeight(reader, kLayout, storage);
  EXPECT_EQ(CodesOf(weight)[0] - weight.zero_points[0], -8);
  storage.scheme.weight_bits = 3;
  EXPECT_FALSE(*CheckQuantizedLinear(reader, kLayout, storage, findings));
  const v1::ValidateCheckpointResponse found = findings.Take();
  ASSERT_EQ(found.findings_size(), 1);
  EXPECT_EQ(found.findings(0).rule(), "code_range");
  EXPECT_EQ(found.findings(0).expected(), "-4 to 3");
}

}  // namespace
}  // namespace heroq
