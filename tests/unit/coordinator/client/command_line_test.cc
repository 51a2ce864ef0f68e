#include "coordinator/client/command_line.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

std::string ErrorOf(const std::vector<std::string>& arguments) {
  CommandLine line;
  const absl::Status status = line.Parse(arguments);
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  return std::string(status.message());
}

TEST(CommandLineTest, EveryCommandIsThere) {
  EXPECT_EQ(CommandLine().CommandNames(),
            (std::vector<std::string>{"quantize", "plan", "eval", "submit", "list", "get", "watch", "wait",
                                      "cancel", "delete", "workers", "inspect", "verify", "report", "serve",
                                      "worker", "version", "completion", "help"}));
}

TEST(CommandLineTest, MistypedCommandsAndFlagsAreExplained) {
  EXPECT_EQ(ErrorOf({"quantise", "m"}), "'quantise' is not a command of heroq. Did you mean quantize?");
  EXPECT_EQ(ErrorOf({"frobnicate"}), "'frobnicate' is not a command of heroq.");
  EXPECT_EQ(ErrorOf({"quantize", "m", "--bist", "4"}),
            "'--bist' is not a flag of heroq quantize. Did you mean --bits?");
  EXPECT_EQ(ErrorOf({"quantize", "m", "--sample=4"}),
            "'--sample' is not a flag of heroq quantize. Did you mean --samples?");
  EXPECT_EQ(ErrorOf({"--serve", "x"}).substr(0, 9), "'--serve'");
}

TEST(CommandLineTest, SurplusArgumentsAreRefused) {
  EXPECT_EQ(ErrorOf({"inspect", "a", "b"}), "heroq inspect does not expect 'b'");
}

TEST(CommandLineTest, FlagsMayComeBeforeArguments) {
  CommandLine line;
  ASSERT_TRUE(line.Parse({"quantize", "--bits", "4", "m", "--output", "o"}).ok());
  EXPECT_EQ(line.job.model, "m");
  EXPECT_EQ(line.job.output, "o");
}

TEST(CommandLineTest, ArgumentsNamedLikeCommandsAreArguments) {
  CommandLine line;
  ASSERT_TRUE(line.Parse({"quantize", "plan", "--output", "o"}).ok());
  EXPECT_EQ(line.command()->get_name(), "quantize");
  EXPECT_EQ(line.job.model, "plan");
}

TEST(CommandLineTest, JobsAreAList) {
  CommandLine line;
  ASSERT_TRUE(line.Parse({"wait", "a", "b", "--server", "h:1", "-o", "name"}).ok());
  EXPECT_EQ(line.jobs, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(line.server, "h:1");
  EXPECT_EQ(line.output_format(), OutputFormat::kName);
}

TEST(CommandLineTest, UnknownOutputFormatIsRefused) {
  CommandLine line;
  ASSERT_TRUE(line.Parse({"list", "-o", "xml"}).ok());
  const absl::Status status = line.ApplySettings({}, [](const std::string&) { return std::nullopt; });
  EXPECT_EQ(status.message(), "--output-format is 'xml'; expected table, json, jsonl, yaml or name");
}

TEST(CommandLineTest, HelpWinsOverMistakes) {
  CommandLine line;
  ASSERT_TRUE(line.Parse({"quantize", "--bist", "-h"}).ok());
  EXPECT_TRUE(line.help_asked());
  EXPECT_EQ(line.command()->get_name(), "quantize");
}

}  // namespace
}  // namespace heroq
