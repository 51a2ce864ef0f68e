#include "coordinator/client/text_table.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(TextTableTest, ColumnsAreAlignedWithoutTrailingSpace) {
  TextTable table({"JOB", "N", "STATE"}, {1});
  table.AddRow({"a", "7", "running"});
  table.AddRow({"long-name", "120", ""});
  EXPECT_EQ(table.Render(),
            "JOB          N  STATE\n"
            "a            7  running\n"
            "long-name  120  -\n");
}

TEST(TextTableTest, WidthCountsCodePoints) {
  EXPECT_EQ(DisplayWidth("█░é"), 3);
  EXPECT_EQ(DisplayWidth("\033[1mbold\033[0m"), 4);
  TextTable table({"A", "B"});
  table.AddRow({"éé", "x"});
  EXPECT_EQ(table.Render(), "A   B\néé  x\n");
}

TEST(TextTableTest, TruncateKeepsWholeCharacters) {
  EXPECT_EQ(Truncate("abcdef", 6, true), "abcdef");
  EXPECT_EQ(Truncate("abcdef", 4, true), "abc…");
  EXPECT_EQ(Truncate("abcdef", 4, false), "abc~");
  EXPECT_EQ(Truncate("ééé", 2, true), "é…");
  EXPECT_EQ(Truncate("abc", 0, true), "");
}

}  // namespace
}  // namespace heroq
