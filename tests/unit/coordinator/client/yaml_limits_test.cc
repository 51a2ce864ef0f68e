#include "coordinator/client/yaml_limits.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

std::string RefusalOf(const std::string& text) {
  const absl::Status status = CheckYamlLimits(text, "job.yaml");
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec)) << status;
  return std::string(status.message());
}

TEST(YamlLimitsTest, OrdinaryYamlAndJsonPass) {
  for (const char* text : {"", "# nothing\n", "a: 1\nb: [x, \"y\", 'z', ~]\n",
                           R"({"a": {"b": [1, null, ""]}})", "--- \na: 1\n...\n", "a: |\n  two\n  lines\n"}) {
    EXPECT_EQ(CheckYamlLimits(text, "job.yaml"), absl::OkStatus()) << text;
  }
}

TEST(YamlLimitsTest, WhatCanStandForMoreThanItSaysIsRefused) {
  EXPECT_EQ(RefusalOf("a: 1\nb: &x [1]\nc: *x\n"), "job.yaml:2: anchors are not allowed here");
  EXPECT_EQ(RefusalOf("a: !!binary abc\n"), "job.yaml:1: tags are not allowed here");
  EXPECT_EQ(RefusalOf("a: 1\n---\nb: 1\n"), "job.yaml:2: a second document; expected one");
}

TEST(YamlLimitsTest, SizesStopAtTheLimit) {
  EXPECT_EQ(RefusalOf(std::string((1 << 20) + 1, ' ')),
            "job.yaml:1: 1048577 bytes, expected at most 1048576");
  EXPECT_EQ(CheckYamlLimits(absl::StrCat("a: ", std::string(4096, 'x')), "job.yaml"), absl::OkStatus());
  EXPECT_EQ(RefusalOf(absl::StrCat("a: ", std::string(4097, 'x'))),
            "job.yaml:1: a value of 4097 bytes, expected at most 4096");
  EXPECT_EQ(CheckYamlLimits(std::string(16, '[') + std::string(16, ']'), "job.yaml"), absl::OkStatus());
  EXPECT_EQ(RefusalOf(std::string(17, '[') + std::string(17, ']')), "job.yaml:1: nested deeper than 16");
  std::string values = "a:\n";
  for (int i = 0; i < 100'000; ++i) values += "- x\n";
  EXPECT_EQ(RefusalOf(values), "job.yaml:99999: more than 100000 values");
}

TEST(YamlLimitsTest, TextThatIsNoTextIsRefused) {
  EXPECT_EQ(RefusalOf("a: \xff\n"), "job.yaml:1: the text is not UTF-8");
  EXPECT_EQ(RefusalOf(std::string("a: 1\nb: \0\n", 10)), "job.yaml:2: a zero byte: a binary file, not text");
}

TEST(YamlLimitsTest, MalformedYamlIsRefusedWithItsLine) {
  EXPECT_EQ(RefusalOf("a: 1\nb: [1\n").substr(0, 9), "job.yaml:");
  EXPECT_EQ(RefusalOf(std::string(100'000, '[')).substr(0, 9), "job.yaml:");
}

}  // namespace
}  // namespace heroq
