#include "common/log/log_format.h"

#include <gtest/gtest.h>

#include <vector>

namespace heroq {
namespace {

// 2026-11-23 10:00:00 UTC: 20780 days after the epoch (56 years of 365 days, 14 leap days, 326 days into
// 2026) and 10 hours.
const absl::Time kTime = absl::FromUnixSeconds(int64_t{20780} * 86400 + 36000) + absl::Milliseconds(7);

TEST(LogFormatTest, TextHasTimeLevelMessageAndFields) {
  const std::vector<LogField> fields = {{"task", 42}, {"error", 0.5}, {"ok", true}, {"worker", "w-1"}};
  EXPECT_EQ(FormatLogText(kTime, LogLevel::kInfo, "lease granted", fields),
            "2026-11-23T10:00:00.007Z info lease granted task=42 error=0.5 ok=true worker=w-1");
}

TEST(LogFormatTest, TextQuotesValuesThatWouldReadAsMoreFields) {
  const std::vector<LogField> fields = {{"a", "x y=1"}, {"b", ""}, {"c", "say \"hi\""}};
  EXPECT_EQ(FormatLogText(kTime, LogLevel::kWarning, "m", fields),
            "2026-11-23T10:00:00.007Z warning m a=\"x y=1\" b=\"\" c=\"say \\\"hi\\\"\"");
}

TEST(LogFormatTest, TextCannotForgeAnotherRecord) {
  const std::vector<LogField> fields = {{"path", "a\nb\x1b[0m"}};
  EXPECT_EQ(FormatLogText(kTime, LogLevel::kError, "bad\r\nname", fields),
            "2026-11-23T10:00:00.007Z error bad\\x0d\\nname path=\"a\\nb\\x1b[0m\"");
}

TEST(LogFormatTest, JsonKeepsTypesAndOrder) {
  const std::vector<LogField> fields = {
      {"task", int64_t{42}}, {"error", 0.5}, {"ok", false}, {"worker", "a \"b\"\n"}};
  EXPECT_EQ(
      FormatLogJson(kTime, LogLevel::kDebug, "lease granted", fields),
      "{\"time\":\"2026-11-23T10:00:00.007Z\",\"level\":\"debug\",\"message\":\"lease granted\",\"task\":42,"
      "\"error\":0.5,\"ok\":false,\"worker\":\"a \\\"b\\\"\\n\"}");
}

TEST(LogFormatTest, JsonReplacesInvalidUtf8) {
  EXPECT_EQ(FormatLogJson(kTime, LogLevel::kInfo, "a\xff", {}),
            "{\"time\":\"2026-11-23T10:00:00.007Z\",\"level\":\"info\",\"message\":\"a\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace heroq
