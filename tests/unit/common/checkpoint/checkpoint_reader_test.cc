#include "common/checkpoint/checkpoint_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/checkpoint/safetensors_writer.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

class CheckpointReaderTest : public ::testing::Test {
 protected:
  CheckpointReaderTest() { EXPECT_TRUE(files_.CreateDirectories("/m").ok()); }

  void Write(const std::string& name, const std::string& data) {
    ASSERT_TRUE(WriteFileAtomically(files_, "/m/" + name, data).ok());
  }
  // A file whose tensors each hold their own name.
  void WriteTensors(const std::string& name, const std::vector<std::string>& tensors) {
    std::vector<NamedBytes> named;
    for (const std::string& tensor : tensors) {
      named.push_back({{tensor, DType::kU8, {static_cast<int64_t>(tensor.size())}}, tensor});
    }
    Write(name, SerializeSafetensors(named).value());
  }
  void ExpectRefused(Reason reason, const std::string& rule) {
    const absl::Status status = CheckpointReader::Open(files_, "/m").status();
    EXPECT_TRUE(HasReason(status, reason)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(rule));
  }

  MemoryFileSystem files_;
};

TEST_F(CheckpointReaderTest, ASingleFileIsACheckpoint) {
  WriteTensors("model.safetensors", {"a", "bb"});
  const auto reader = CheckpointReader::Open(files_, "/m");
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->ReadBytes("bb").value(), "bb");
  EXPECT_TRUE((*reader)->Has("a"));
  EXPECT_FALSE((*reader)->Has("c"));
  const absl::Status missing = (*reader)->Find("c").status();
  EXPECT_TRUE(HasReason(missing, Reason::kModelInvalid));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("/m: tensor c is missing"));
}

TEST_F(CheckpointReaderTest, ShardsAreOneCheckpoint) {
  WriteTensors("one.safetensors", {"a", "c"});
  WriteTensors("two.safetensors", {"b"});
  Write(
      "model.safetensors.index.json",
      R"({"metadata":{"total_size":3},"weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"one.safetensors"}})");
  const auto reader = CheckpointReader::Open(files_, "/m");
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->tensors().size(), 3U);
  EXPECT_EQ((*reader)->files().size(), 2U);
  EXPECT_EQ((*reader)->ReadBytes("b").value(), "b");
  EXPECT_EQ((*reader)->Find("c")->file->path(), "/m/one.safetensors");
}

TEST_F(CheckpointReaderTest, TheSingleFileCountsWhenThereAreBoth) {
  WriteTensors("model.safetensors", {"a"});
  Write("model.safetensors.index.json", "not even JSON");
  EXPECT_TRUE(CheckpointReader::Open(files_, "/m").ok());
}

TEST_F(CheckpointReaderTest, MissingFilesAreModelNotFound) {
  ExpectRefused(Reason::kModelNotFound,
                "/m holds neither model.safetensors nor model.safetensors.index.json");
  Write("model.safetensors.index.json", R"({"weight_map":{"a":"one.safetensors"}})");
  ExpectRefused(Reason::kModelNotFound, "/m/one.safetensors does not exist");
  EXPECT_TRUE(HasReason(CheckpointReader::Open(files_, "/none").status(), Reason::kModelNotFound));
}

TEST_F(CheckpointReaderTest, IndexAndShardsMustAgree) {
  WriteTensors("one.safetensors", {"a", "c"});
  WriteTensors("two.safetensors", {"b"});
  Write("model.safetensors.index.json", R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  ExpectRefused(Reason::kFileCorrupt, "tensor \"c\" of /m/one.safetensors is not listed");
  Write(
      "model.safetensors.index.json",
      R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"one.safetensors","d":"one.safetensors"}})");
  ExpectRefused(Reason::kFileCorrupt, "tensor \"d\" is not in one.safetensors");
  Write("model.safetensors.index.json",
        R"({"weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"}})");
  ExpectRefused(Reason::kFileCorrupt, "tensor \"b\" is in two.safetensors, not in one.safetensors");
  WriteTensors("two.safetensors", {"a", "b"});
  ExpectRefused(Reason::kFileCorrupt, "tensor \"a\" is also in /m/one.safetensors");
}

TEST_F(CheckpointReaderTest, ShardNamesStayInTheDirectory) {
  WriteTensors("one.safetensors", {"a"});
  for (const char* name : {"../m/one.safetensors", "/m/one.safetensors", "", ".", "..", "x/one.safetensors",
                           ".hidden", "one safetensors", "one\\u0000.safetensors"}) {
    Write("model.safetensors.index.json", std::string(R"({"weight_map":{"a":")") + name + R"("}})");
    ExpectRefused(Reason::kFileCorrupt, "expected a plain file name");
  }
  Write("model.safetensors.index.json", R"({"weight_map":{"a":3}})");
  ExpectRefused(Reason::kFileCorrupt, "expected a plain file name, got 3");
  for (const char* index : {"[]", "{}", R"({"weight_map":[]})"}) {
    Write("model.safetensors.index.json", index);
    ExpectRefused(Reason::kFileCorrupt, "weight_map must be an object");
  }
}

}  // namespace
}  // namespace heroq
