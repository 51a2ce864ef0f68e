#include "common/checkpoint/safetensors_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "common/blob/sha256.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string FileOf(const std::string& header, const std::string& data) {
  std::string file;
  for (int i = 0; i < 8; ++i) file.push_back(static_cast<char>((header.size() >> (8 * i)) & 0xFF));
  return file + header + data;
}

class SafetensorsReaderTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SafetensorsReader>> Open(const std::string& bytes,
                                                          const SafetensorsLimits& limits = {}) {
    EXPECT_TRUE(WriteFileAtomically(files_, "/m.safetensors", bytes).ok());
    return SafetensorsReader::Open(files_, "/m.safetensors", limits);
  }

  // The message of the refusal, which file and memory reader share.
  std::string RefusalOf(const std::string& bytes) {
    const absl::Status status = Open(bytes).status();
    EXPECT_TRUE(HasReason(status, Reason::kFileCorrupt)) << status;
    EXPECT_EQ(ParseSafetensors(bytes, "/m.safetensors").status().message(), status.message());
    EXPECT_THAT(std::string(status.message()), HasSubstr("/m.safetensors"));
    return std::string(status.message());
  }

  MemoryFileSystem files_;
};

const char kTwoTensors[] =
    R"({"b":{"dtype":"I16","shape":[2],"data_offsets":[4,8]},"__metadata__":{"format":"pt"},)"
    R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}} )";

TEST_F(SafetensorsReaderTest, NamesStopAtTheLimit) {
  const auto file = [](int bytes) {
    return FileOf("{\"" + std::string(bytes, 'n') + R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                  "x");
  };
  EXPECT_TRUE(Open(file(1024)).ok());
  const std::string refusal = RefusalOf(file(1025));
  EXPECT_THAT(refusal, HasSubstr("a name of 1025 bytes, expected at most 1024"));
  EXPECT_LT(refusal.size(), 400);
}

TEST_F(SafetensorsReaderTest, TensorsAreFoundWhereTheHeaderSays) {
  const std::string bytes = FileOf(kTwoTensors, "aaaaBBbb");
  const auto reader = Open(bytes);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const TensorInfo& b = *(*reader)->Find("b").value();
  EXPECT_EQ(b.dtype, DType::kI16);
  EXPECT_THAT(b.shape, ElementsAre(2));
  EXPECT_EQ(b.elements(), 2);
  EXPECT_EQ(b.size, 4);
  EXPECT_THAT((*reader)->Find("a").value()->shape, IsEmpty());
  std::string data(4, '\0');
  ASSERT_TRUE((*reader)->Read(b, data.data()).ok());
  EXPECT_EQ(data, "BBbb");
  ASSERT_TRUE((*reader)->ReadPart(b, 2, 2, data.data()).ok());
  EXPECT_EQ(data.substr(0, 2), "bb");
  EXPECT_EQ((*reader)->metadata().at("format"), "pt");
  EXPECT_EQ((*reader)->header_digest(), Sha256Hex(bytes.substr(0, bytes.size() - 8)));
}

TEST_F(SafetensorsReaderTest, WhatIsNotThereIsAnError) {
  const auto reader = Open(FileOf(kTwoTensors, "aaaaBBbb"));
  const absl::Status missing = (*reader)->Find("c").status();
  EXPECT_TRUE(HasReason(missing, Reason::kFileCorrupt));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("tensor c is missing"));
  char buffer[8];
  // "b" follows "a" in the file: only the tensor's own bounds stop these.
  EXPECT_TRUE(HasReason((*reader)->ReadPart(*(*reader)->Find("a").value(), 2, 3, buffer), Reason::kInternal));
  EXPECT_TRUE(
      HasReason((*reader)->ReadPart(*(*reader)->Find("b").value(), -1, 1, buffer), Reason::kInternal));
  EXPECT_TRUE(absl::IsNotFound(SafetensorsReader::Open(files_, "/none").status()));
}

TEST_F(SafetensorsReaderTest, AFileTruncatedAfterOpenIsAnError) {
  const auto reader = Open(FileOf(kTwoTensors, "aaaaBBbb"));
  ASSERT_TRUE(files_.Create("/m.safetensors").ok());
  char buffer[4];
  EXPECT_TRUE(HasReason((*reader)->Read(*(*reader)->Find("b").value(), buffer), Reason::kFileCorrupt));
}

TEST_F(SafetensorsReaderTest, BrokenLengthsAreRefused) {
  EXPECT_THAT(RefusalOf(""), HasSubstr("0 bytes, expected at least 8"));
  EXPECT_THAT(RefusalOf("1234567"), HasSubstr("7 bytes"));
  EXPECT_THAT(RefusalOf(std::string("\x03\0\0\0\0\0\0\0{}", 10)),
              HasSubstr("header of 3 bytes in a file of 10"));
  EXPECT_THAT(RefusalOf(std::string(8, '\xFF')),
              HasSubstr("header of 18446744073709551615 bytes, expected at most"));
  EXPECT_THAT(RefusalOf(FileOf("", "")), HasSubstr("must begin with '{'"));
}

TEST_F(SafetensorsReaderTest, LimitsAreKept) {
  SafetensorsLimits limits;
  limits.max_tensors = 1;
  const std::string two = FileOf(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"__metadata__":{},)"
                                 R"("b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                                 "");
  EXPECT_THAT(std::string(Open(two, limits).status().message()), HasSubstr("more than 1 tensors"));
  limits.max_tensors = 2;
  EXPECT_TRUE(Open(two, limits).ok());
  limits = {};
  limits.max_header_bytes = 1;
  EXPECT_THAT(std::string(Open(FileOf("{}", ""), limits).status().message()),
              HasSubstr("expected at most 1"));
  EXPECT_TRUE(Open(FileOf("{}", "")).ok());
}

TEST_F(SafetensorsReaderTest, ShortFloatsAreUnsupportedNotCorrupt) {
  const absl::Status status =
      Open(FileOf(R"({"w":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", "x")).status();
  EXPECT_TRUE(HasReason(status, Reason::kUnsupported)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("tensor \"w\": heroq does not read dtype F8_E4M3"));
}

struct BrokenHeader {
  const char* rule;  // part of the message
  const char* header;
  int data_bytes;
};

class BrokenHeaderTest : public SafetensorsReaderTest, public ::testing::WithParamInterface<BrokenHeader> {};

TEST_P(BrokenHeaderTest, IsRefusedByItsRule) {
  const BrokenHeader& broken = GetParam();
  EXPECT_THAT(RefusalOf(FileOf(broken.header, std::string(broken.data_bytes, 'x'))), HasSubstr(broken.rule));
}

INSTANTIATE_TEST_SUITE_P(
    EveryRule, BrokenHeaderTest,
    ::testing::Values(
        BrokenHeader{"must begin with '{'", " {}", 0}, BrokenHeader{"must begin with '{'", "[]", 0},
        BrokenHeader{"invalid JSON", "{", 0}, BrokenHeader{"invalid JSON", "{}x", 0},
        BrokenHeader{"invalid JSON", "{\"\xff\":1}", 0},
        BrokenHeader{
            "duplicate key \"a\"",
            R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})",
            1},
        BrokenHeader{"duplicate key \"x\"", R"({"__metadata__":{"x":"1","x":"1"}})", 0},
        BrokenHeader{"__metadata__ must be an object", R"({"__metadata__":null})", 0},
        BrokenHeader{"__metadata__ \"x\" must be a string", R"({"__metadata__":{"x":1}})", 0},
        BrokenHeader{"tensor \"a\": must be an object", R"({"a":["U8",[],[0,1]]})", 1},
        BrokenHeader{"shape is missing", R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1},
        BrokenHeader{"has fields besides", R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}})",
                     1},
        BrokenHeader{"dtype must be a string", R"({"a":{"dtype":1,"shape":[],"data_offsets":[0,1]}})", 1},
        BrokenHeader{"unknown dtype \"u8\"", R"({"a":{"dtype":"u8","shape":[],"data_offsets":[0,1]}})", 1},
        BrokenHeader{"shape must be an array", R"({"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", 1},
        BrokenHeader{"rank 9, expected at most 8",
                     R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1},
        BrokenHeader{"a dimension must be", R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1},
        BrokenHeader{"a dimension must be", R"({"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}})", 0},
        BrokenHeader{"a dimension must be", R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", 1},
        BrokenHeader{"a dimension must be", R"({"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}})", 1},
        BrokenHeader{"a dimension must be",
                     R"({"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}})", 1},
        BrokenHeader{"more elements than 64 bits",
                     R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0},
        BrokenHeader{"more elements than 64 bits",
                     R"({"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}})", 0},
        BrokenHeader{"more elements than 64 bits",
                     R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0},
        BrokenHeader{"data_offsets must be two", R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0]}})", 1},
        BrokenHeader{"data_offsets must be two", R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1,2]}})",
                     1},
        BrokenHeader{"data_offsets must be two", R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1.0]}})",
                     1},
        BrokenHeader{"data_offsets must be two", R"({"a":{"dtype":"U8","shape":[],"data_offsets":{"0":1}}})",
                     1},
        BrokenHeader{"end before they begin", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1},
        BrokenHeader{"hold 2 bytes, but U8 [3] takes 3",
                     R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,2]}})", 2},
        BrokenHeader{"tensor \"a\": begins at 1 of the data, expected 0: a hole",
                     R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2},
        BrokenHeader{
            "tensor \"b\": begins at 1 of the data, expected 2: an overlap",
            R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
            3},
        BrokenHeader{"tensors end at byte 1 of the data, but the file holds 2",
                     R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 2},
        BrokenHeader{"tensors end at byte 2 of the data, but the file holds 1",
                     R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 1}));

TEST_F(SafetensorsReaderTest, EmptyTensorsMayShareAnOffset) {
  EXPECT_TRUE(Open(FileOf(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                          R"("c":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},)"
                          R"("a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
                          "xxxx"))
                  .ok());
}

}  // namespace
}  // namespace heroq
