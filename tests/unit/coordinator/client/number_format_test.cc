#include "coordinator/client/number_format.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(NumberFormatTest, BytesHaveThreeDigitsInPowersOfThousand) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.00 kB");
  EXPECT_EQ(FormatBytes(14'200'000'000), "14.2 GB");
  EXPECT_EQ(FormatBytes(269'060'552), "269 MB");
  EXPECT_EQ(FormatBytes(999'600), "1.00 MB");
}

TEST(NumberFormatTest, DurationsHaveTwoUnits) {
  EXPECT_EQ(DurationText(absl::Milliseconds(4210)), "4.2s");
  EXPECT_EQ(DurationText(absl::Seconds(72)), "1m12s");
  EXPECT_EQ(DurationText(absl::Seconds(59.6)), "1m00s");
  EXPECT_EQ(DurationText(absl::Hours(3) + absl::Minutes(5)), "3h05m");
  EXPECT_EQ(DurationText(absl::Hours(52)), "2d04h");
  EXPECT_EQ(DurationText(absl::Seconds(-1)), "-");
}

TEST(NumberFormatTest, SizesAreReadWithUnits) {
  EXPECT_EQ(*ParseByteSize("--max-shard-size", "5GB"), 5'000'000'000);
  EXPECT_EQ(*ParseByteSize("--max-shard-size", "5000"), 5000);
  EXPECT_EQ(*ParseByteSize("--max-shard-size", "1.5 GiB"), 1'610'612'736);
  EXPECT_EQ(*ParseByteSize("--max-shard-size", "64k"), 64'000);
}

TEST(NumberFormatTest, WrongSizesNameFlagAndText) {
  for (const char* text : {"", "GB", "5XB", "-5GB", "0", "1e3GB"}) {
    const auto size = ParseByteSize("--max-shard-size", text);
    ASSERT_FALSE(size.ok()) << text;
    EXPECT_TRUE(HasReason(size.status(), Reason::kInvalidSpec));
    EXPECT_NE(size.status().message().find("--max-shard-size"), std::string::npos);
  }
}

TEST(NumberFormatTest, TimeoutsAreSecondsOrUnits) {
  EXPECT_EQ(*ParseTimeout("--timeout", "90"), absl::Seconds(90));
  EXPECT_EQ(*ParseTimeout("--timeout", "1h30m"), absl::Minutes(90));
  EXPECT_FALSE(ParseTimeout("--timeout", "0").ok());
  EXPECT_FALSE(ParseTimeout("--timeout", "soon").ok());
}

}  // namespace
}  // namespace heroq
