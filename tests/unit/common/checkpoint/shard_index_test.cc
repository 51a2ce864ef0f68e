#include "common/checkpoint/shard_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string RefusalOf(const std::string& json) {
  const absl::Status status = ParseShardIndex(json, "index.json").status();
  EXPECT_TRUE(HasReason(status, Reason::kFileCorrupt)) << json << ": " << status;
  return std::string(status.message());
}

TEST(ShardIndexTest, ShardsAndTotalSizeAreRead) {
  const auto index = ParseShardIndex(
      R"({"metadata": {"total_size": 12}, "weight_map": {"b": "m-2.safetensors", "a": "m-1.safetensors"}})",
      "i");
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_THAT(index->shard_of, ElementsAre(Pair("a", "m-1.safetensors"), Pair("b", "m-2.safetensors")));
  EXPECT_EQ(index->total_size, 12);
  EXPECT_EQ(
      ParseShardIndex(R"({"metadata": {"total_size": 1.5e10}, "weight_map": {"a": "b"}})", "i")->total_size,
      15'000'000'000);
  EXPECT_EQ(ParseShardIndex(R"({"weight_map": {"a": "b"}})", "i")->total_size, std::nullopt);
}

TEST(ShardIndexTest, WhatIsNoIndexIsRefused) {
  for (const char* json : {"[]", "{}", "3", R"({"weight_map": []})"}) {
    EXPECT_EQ(RefusalOf(json), "index.json: weight_map must be an object");
  }
  EXPECT_EQ(RefusalOf(R"({"weight_map": {}})"), "index.json: weight_map is empty");
  EXPECT_EQ(RefusalOf(R"({"metadata": [1], "weight_map": {"a": "b"}})"),
            "index.json: metadata must be an object");
  for (const char* size : {"\"12\"", "-1", "null"}) {
    EXPECT_EQ(
        RefusalOf(absl::StrCat(R"({"metadata": {"total_size": )", size, R"(}, "weight_map": {"a": "b"}})")),
        "index.json: metadata.total_size must be a number of bytes");
  }
}

TEST(ShardIndexTest, FileNamesStayInTheDirectory) {
  for (const std::string& name :
       {std::string("../a"), std::string("a/b"), std::string(".a"), std::string(""), std::string(256, 'a')}) {
    EXPECT_THAT(RefusalOf(absl::StrCat(R"({"weight_map": {"w": ")", name, "\"}}")),
                HasSubstr("weight_map \"w\": expected a plain file name, got"));
  }
  EXPECT_THAT(RefusalOf(R"({"weight_map": {"w": 1}})"), HasSubstr("got 1"));
}

TEST(ShardIndexTest, TensorNamesStopAtTheLimit) {
  const auto index = [](int bytes) {
    return absl::StrCat(R"({"weight_map": {")", std::string(bytes, 'n'), R"(": "f"}})");
  };
  EXPECT_TRUE(ParseShardIndex(index(1024), "i").ok());
  EXPECT_THAT(RefusalOf(index(1025)), HasSubstr("a name of 1025 bytes"));
}

}  // namespace
}  // namespace heroq
