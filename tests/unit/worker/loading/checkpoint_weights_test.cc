#include "worker/loading/checkpoint_weights.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "absl/strings/str_replace.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kModel[] = "/model";
constexpr char kUp[] = "model.layers.1.mlp.up_proj.weight";
constexpr char kEmbedding[] = "model.embed_tokens.weight";

class CheckpointWeightsTest : public ::testing::Test {
 protected:
  CheckpointWeightsTest() { WriteTinyModel(files_, kModel); }

  absl::StatusOr<std::unique_ptr<CheckpointWeights>> Open() {
    return CheckpointWeights::Open(files_, kModel, c10::Device(c10::kCPU));
  }

  // Overwrites one bfloat16 of a tensor in the file.
  void Poke(const std::string& tensor, int64_t index, uint16_t bits) {
    const std::string path = JoinPath(kModel, "model.safetensors");
    const auto reader = SafetensorsReader::Open(files_, path).value();
    const TensorInfo info = *reader->Find(tensor).value();
    const auto file = files_.OpenForUpdate(path).value();
    char bytes[2];
    std::memcpy(bytes, &bits, 2);
    ASSERT_TRUE(file->WriteAt(info.begin + 2 * index, absl::string_view(bytes, 2)).ok());
    ASSERT_TRUE(file->Close().ok());
  }

  void EditConfig(const std::string& from, const std::string& to) {
    const std::string path = JoinPath(kModel, "config.json");
    const std::string config = ReadFile(files_, path).value();
    ASSERT_TRUE(WriteFileAtomically(files_, path, absl::StrReplaceAll(config, {{from, to}})).ok());
  }

  MemoryFileSystem files_;
};

TEST_F(CheckpointWeightsTest, LoadsInTheTypeAskedFor) {
  const auto source = Open().value();
  const at::Tensor exact = source->Load(kUp, at::kFloat).value();
  EXPECT_EQ(exact.sizes(), (std::vector<int64_t>{96, 64}));
  const at::Tensor stored = source->Load(kUp, at::kBFloat16).value();
  EXPECT_EQ(stored.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(stored.to(at::kFloat), exact));
}

TEST_F(CheckpointWeightsTest, RowsAreThoseOfTheWholeMatrix) {
  const auto source = Open().value();
  const at::Tensor whole = source->Load(kEmbedding, at::kFloat).value();
  const at::Tensor ids = at::tensor({99, 0, 7, 7, 99, 3}, at::kLong).view({2, 3});
  const at::Tensor rows = source->LoadRows(kEmbedding, ids, at::kFloat).value();
  EXPECT_TRUE(at::equal(rows, whole.index_select(0, ids.flatten())));
}

TEST_F(CheckpointWeightsTest, RowsThatFollowEachOtherAreReadAtOnce) {
  const auto source = Open().value();
  int reads = 0;
  files_.SetFault([&](absl::string_view operation, const std::string& /*path*/) {
    reads += operation == "read";
    return absl::OkStatus();
  });
  const at::Tensor ids = at::tensor({5, 3, 4, 9, 4}, at::kLong);
  const at::Tensor rows = source->LoadRows(kEmbedding, ids, at::kFloat).value();
  EXPECT_EQ(reads, 2) << "3 to 5, and 9";
  EXPECT_TRUE(at::equal(rows, source->Load(kEmbedding, at::kFloat).value().index_select(0, ids)));
}

TEST_F(CheckpointWeightsTest, NanAndInfNameTheTensorAndTheirCount) {
  Poke(kUp, 5, 0x7fc0);
  Poke(kUp, 6143, 0xff80);
  const auto source = Open().value();
  const absl::Status status = source->Load(kUp, at::kFloat).status();
  EXPECT_TRUE(HasReason(status, Reason::kModelInvalid));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(kUp), HasSubstr("2 of 6144 values are NaN or Inf")));
  EXPECT_TRUE(source->Load("model.layers.0.mlp.up_proj.weight", at::kFloat).ok());
}

TEST_F(CheckpointWeightsTest, NanIsLookedForInTheRowsRead) {
  Poke(kEmbedding, 3 * 64 + 1, 0x7fc0);
  const auto source = Open().value();
  EXPECT_TRUE(source->LoadRows(kEmbedding, at::tensor({0, 2, 4}, at::kLong), at::kFloat).ok());
  const absl::Status status =
      source->LoadRows(kEmbedding, at::tensor({0, 3}, at::kLong), at::kFloat).status();
  EXPECT_TRUE(HasReason(status, Reason::kModelInvalid));
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 of 128 values"));
}

TEST_F(CheckpointWeightsTest, AMissingDirectoryIsNotFound) {
  const auto source = CheckpointWeights::Open(files_, "/nowhere", c10::Device(c10::kCPU));
  EXPECT_TRUE(HasReason(source.status(), Reason::kModelNotFound)) << source.status();
}

TEST_F(CheckpointWeightsTest, AShapeThatIsNotTheConfigsNamesTensorAndShapes) {
  EditConfig(R"("intermediate_size": 96)", R"("intermediate_size": 128)");
  const absl::Status status = Open().status();
  EXPECT_TRUE(HasReason(status, Reason::kModelInvalid));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("model.layers.0.mlp."), HasSubstr("96"), HasSubstr("128")));
}

TEST_F(CheckpointWeightsTest, AMissingTensorIsNamed) {
  EditConfig(R"("num_hidden_layers": 2)", R"("num_hidden_layers": 3)");
  const absl::Status status = Open().status();
  EXPECT_TRUE(HasReason(status, Reason::kModelInvalid)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("model.layers.2."));
}

}  // namespace
}  // namespace heroq
