#include "worker/agent/tensor_blobs.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/checkpoint/safetensors_writer.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_blob_store.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

std::string Tokens(const std::vector<int32_t>& ids, std::vector<int64_t> shape, DType dtype = DType::kI32) {
  const absl::string_view bytes(reinterpret_cast<const char*>(ids.data()), ids.size() * 4);
  return SerializeSafetensors({{{"input_ids", dtype, std::move(shape)}, bytes}}).value();
}

TEST(TensorBlobsTest, HiddenStatesKeepTypeShapeAndBits) {
  MemoryBlobStore blobs;
  for (const c10::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor hidden = at::randn({2, 3, 8}).to(dtype);
    const Digest digest = PutHiddenStates(hidden, blobs).value();
    EXPECT_EQ(digest, PutHiddenStates(hidden.clone(), blobs).value());
    const at::Tensor parsed = ParseHiddenStates(blobs.Get(digest).value(), "blob").value();
    EXPECT_EQ(parsed.scalar_type(), dtype);
    EXPECT_TRUE(at::equal(parsed, hidden));
  }
}

TEST(TensorBlobsTest, StatisticsComeBack) {
  PackedStatistics statistics{at::randn({10}), 1234567};
  statistics.output_energies = {{LinearRole::kQuery, 1.5}, {LinearRole::kValue, 1e300}};
  MemoryBlobStore blobs;
  const Digest digest = PutStatistics(statistics, blobs).value();
  const PackedStatistics parsed = ParseStatistics(blobs.Get(digest).value(), "blob").value();
  EXPECT_TRUE(at::equal(parsed.upper, statistics.upper));
  EXPECT_EQ(parsed.token_count, 1234567);
  EXPECT_EQ(parsed.output_energies, statistics.output_energies);
}

TEST(TensorBlobsTest, TokensBecomeLongIntegers) {
  const at::Tensor tokens = ParseTokens(Tokens({1, 2, 3, 99, 0, 5}, {2, 3}), 100, "blob").value();
  EXPECT_TRUE(at::equal(tokens, at::tensor({1, 2, 3, 99, 0, 5}, at::kLong).view({2, 3})));
}

TEST(TensorBlobsTest, TokensOutsideTheVocabularyAreNamed) {
  for (const int32_t bad : {100, -1}) {
    const auto tokens = ParseTokens(Tokens({1, bad}, {1, 2}), 100, "blob x");
    EXPECT_TRUE(HasReason(tokens.status(), Reason::kFileCorrupt));
    EXPECT_THAT(std::string(tokens.status().message()), HasSubstr("blob x: tensor input_ids: value 1 is"));
  }
}

TEST(TensorBlobsTest, OtherTensorsAreRefused) {
  EXPECT_TRUE(HasReason(ParseTokens(Tokens({1, 2}, {2}), 100, "b").status(), Reason::kFileCorrupt));
  EXPECT_TRUE(
      HasReason(ParseTokens(Tokens({1, 2}, {1, 2}, DType::kU32), 100, "b").status(), Reason::kFileCorrupt));
  EXPECT_TRUE(HasReason(ParseHiddenStates(Tokens({1, 2}, {1, 2}), "b").status(), Reason::kFileCorrupt));
  EXPECT_TRUE(HasReason(ParseStatistics(Tokens({1, 2}, {1, 2}), "b").status(), Reason::kFileCorrupt));
  EXPECT_TRUE(HasReason(ParseStatistics("no safetensors", "b").status(), Reason::kFileCorrupt));
}

}  // namespace
}  // namespace heroq
