#include "common/tokenizer/text_lines.h"

#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

class TextLinesTest : public ::testing::Test {
 protected:
  std::vector<TextLines::Line> Read(absl::string_view text) {
    const std::string path = directory_.File("text");
    EXPECT_TRUE(WriteFileAtomically(FileSystem::Posix(), path, text).ok());
    absl::StatusOr<TextLines> lines = TextLines::Open(FileSystem::Posix(), path);
    EXPECT_TRUE(lines.ok()) << lines.status();
    std::vector<TextLines::Line> out;
    while (true) {
      const absl::StatusOr<std::optional<TextLines::Line>> line = lines->Next();
      EXPECT_TRUE(line.ok()) << line.status();
      if (!line.ok() || !line->has_value()) return out;
      out.push_back(**line);
    }
  }

  TemporaryDirectory directory_;
};

TEST_F(TextLinesTest, LinesKnowNumberAndOffset) {
  const std::vector<TextLines::Line> lines = Read("ab\n\nc");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].text, "ab");
  EXPECT_EQ(lines[1].text, "");
  EXPECT_EQ(lines[1].offset, 3);
  EXPECT_EQ(lines[2].text, "c");
  EXPECT_EQ(lines[2].number, 3);
  EXPECT_EQ(lines[2].offset, 4);
}

TEST_F(TextLinesTest, FinalNewlineStartsNoLine) {
  EXPECT_EQ(Read("a\n").size(), 1u);
  EXPECT_EQ(Read("").size(), 0u);
}

TEST_F(TextLinesTest, LinesCrossTheReadsOfTheFile) {
  // The file is read a mebibyte at a time: lines of 700 001 bytes lie across.
  std::string text;
  for (char c : {'a', 'b', 'c', 'd'}) absl::StrAppend(&text, std::string(700'000, c), "\n");
  const std::vector<TextLines::Line> lines = Read(text);
  ASSERT_EQ(lines.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(lines[i].text, std::string(700'000, static_cast<char>('a' + i)));
    EXPECT_EQ(lines[i].offset, int64_t{700'001} * i);
  }
}

}  // namespace
}  // namespace heroq
