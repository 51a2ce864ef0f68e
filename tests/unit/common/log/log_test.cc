#include "common/log/log.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

class FixedClock : public Clock {
 public:
  absl::Time Now() override { return absl::UnixEpoch(); }
  absl::Duration Monotonic() override { return absl::ZeroDuration(); }
};

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    std::string pattern = absl::StrCat(::testing::TempDir(), "/heroq_log_XXXXXX");
    directory_ = mkdtemp(pattern.data());
  }
  ~LogTest() override { (void)SetUpLogging(LogOptions{}); }

  LogOptions ToFile(const std::string& name) {
    LogOptions options;
    options.file = absl::StrCat(directory_, "/", name);
    options.clock = &clock_;
    return options;
  }
  static std::string Contents(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  std::string directory_;
  FixedClock clock_;
};

TEST_F(LogTest, RecordsReachTheFileBeforeLogReturns) {
  const LogOptions options = ToFile("new/folder/a.log");
  ASSERT_TRUE(SetUpLogging(options).ok());
  Log(LogLevel::kInfo, "hello {}", {{"n", 3}});
  EXPECT_EQ(Contents(options.file), "1970-01-01T00:00:00.000Z info hello {} n=3\n");
}

TEST_F(LogTest, RecordsBelowTheLevelAreDropped) {
  LogOptions options = ToFile("a.log");
  options.level = LogLevel::kWarning;
  ASSERT_TRUE(SetUpLogging(options).ok());
  Log(LogLevel::kInfo, "dropped");
  Log(LogLevel::kWarning, "kept");
  EXPECT_EQ(Contents(options.file), "1970-01-01T00:00:00.000Z warning kept\n");
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kError));
}

TEST_F(LogTest, JsonOptionWritesOneObjectALine) {
  LogOptions options = ToFile("a.log");
  options.json = true;
  ASSERT_TRUE(SetUpLogging(options).ok());
  Log(LogLevel::kError, "x");
  EXPECT_EQ(Contents(options.file),
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"message\":\"x\"}\n");
}

TEST_F(LogTest, UnopenableFileIsAnErrorAndKeepsTheOldTarget) {
  const LogOptions good = ToFile("a.log");
  ASSERT_TRUE(SetUpLogging(good).ok());
  // A file cannot be a folder of another one.
  const absl::Status status = SetUpLogging(ToFile("a.log/b.log"));
  EXPECT_TRUE(HasReason(status, Reason::kIo)) << status;
  Log(LogLevel::kInfo, "still here");
  EXPECT_EQ(Contents(good.file), "1970-01-01T00:00:00.000Z info still here\n");
}

TEST_F(LogTest, LinesOfManyThreadsDoNotMix) {
  const LogOptions options = ToFile("a.log");
  ASSERT_TRUE(SetUpLogging(options).ok());
  const std::string long_message(500, 'x');
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) Log(LogLevel::kInfo, long_message);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> lines = absl::StrSplit(Contents(options.file), '\n');
  ASSERT_EQ(lines.size(), 201u);
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(lines[i], absl::StrCat("1970-01-01T00:00:00.000Z info ", long_message));
}

TEST_F(LogTest, LevelNamesRoundTrip) {
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    EXPECT_EQ(ParseLogLevel(ToString(level)), level);
  }
  EXPECT_EQ(ParseLogLevel("loud"), std::nullopt);
}

}  // namespace
}  // namespace heroq
