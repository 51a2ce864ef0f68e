#include "worker/agent/statistics_reader.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <string>

#include "common/blob/digest_proto.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_blob_store.h"
#include "worker/agent/tensor_blobs.h"

namespace heroq {
namespace {

class ReadStatisticsTest : public ::testing::Test {
 protected:
  void Add(const std::string& input, int begin, int end, float value) {
    v1::StatisticsNode& node = *nodes_.Add();
    node.set_input(input);
    node.set_shard_begin(begin);
    node.set_shard_end(end);
    *node.mutable_blob() = DigestToProto(PutStatistics({at::full({3}, value), end - begin}, blobs_).value());
  }

  MemoryBlobStore blobs_;
  google::protobuf::RepeatedPtrField<v1::StatisticsNode> nodes_;
};

TEST_F(ReadStatisticsTest, AddsTheNodesOfEachInputInAnyOrder) {
  Add("mlp_in", 2, 3, 4);
  Add("attention_out", 0, 3, 10);
  Add("mlp_in", 0, 2, 1);
  const auto statistics = ReadStatistics(blobs_, nodes_, 3).value();
  ASSERT_EQ(statistics.size(), 2u);
  EXPECT_TRUE(at::equal(statistics.at(LinearInput::kMlpIn).second_moment, at::full({2, 2}, 5.f)));
  EXPECT_EQ(statistics.at(LinearInput::kMlpIn).token_count, 3);
  EXPECT_TRUE(at::equal(statistics.at(LinearInput::kAttentionOut).second_moment, at::full({2, 2}, 10.f)));
}

TEST_F(ReadStatisticsTest, EveryShardMustBeThereOnce) {
  Add("mlp_in", 0, 2, 1);
  EXPECT_TRUE(HasReason(ReadStatistics(blobs_, nodes_, 3).status(), Reason::kInternal));
  Add("mlp_in", 2, 3, 1);
  Add("mlp_in", 2, 3, 1);
  EXPECT_TRUE(HasReason(ReadStatistics(blobs_, nodes_, 3).status(), Reason::kInternal));
}

TEST_F(ReadStatisticsTest, AnUnknownInputIsRefused) {
  Add("mlp", 0, 1, 1);
  EXPECT_TRUE(HasReason(ReadStatistics(blobs_, nodes_, 1).status(), Reason::kInternal));
}

TEST_F(ReadStatisticsTest, NoNodesAreNoStatistics) {
  EXPECT_TRUE(ReadStatistics(blobs_, nodes_, 4)->empty());
}

TEST_F(ReadStatisticsTest, AMissingBlobKeepsItsReason) {
  Add("mlp_in", 0, 1, 1);
  blobs_.Remove(DigestFromProto(nodes_[0].blob()));
  EXPECT_TRUE(HasReason(ReadStatistics(blobs_, nodes_, 1).status(), Reason::kBlobMissing));
}

}  // namespace
}  // namespace heroq
