#include "coordinator/client/settings.h"

#include <gtest/gtest.h>

#include "coordinator/client/command_line.h"

namespace heroq {
namespace {

EnvironmentLookup Environment(std::map<std::string, std::string> values) {
  return [values](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

absl::StatusOr<ConfiguredFlags> Parse(const std::string& text) {
  CommandLine line;
  return ParseSettings(text, "config.yaml", line.root());
}

TEST(SettingsTest, FlagBeatsEnvironmentBeatsFileSectionBeatsFile) {
  const auto configured =
      Parse("samples: 1\nshards: 1\nbits: 3\nthreads: 1\nquantize:\n  shards: 2\n  bits: 5\n  threads: 2\n");
  ASSERT_TRUE(configured.ok()) << configured.status();
  CommandLine line;
  ASSERT_TRUE(line.Parse({"quantize", "m", "--threads", "4"}).ok());
  ASSERT_TRUE(
      line.ApplySettings(*configured, Environment({{"HEROQ_BITS", "6"}, {"HEROQ_THREADS", "3"}})).ok());
  EXPECT_EQ(line.job.samples, 1);
  EXPECT_EQ(line.job.shards, 2);
  EXPECT_EQ(line.job.bits, 6);
  EXPECT_EQ(line.job.threads, 4);
}

TEST(SettingsTest, SectionsOfOtherCommandsDoNotApply) {
  const auto configured = Parse("plan: {bits: 3}\n");
  ASSERT_TRUE(configured.ok());
  CommandLine line;
  ASSERT_TRUE(line.Parse({"quantize", "m"}).ok());
  ASSERT_TRUE(line.ApplySettings(*configured, Environment({})).ok());
  EXPECT_FALSE(line.job.bits.has_value());
}

TEST(SettingsTest, ListsSwitchesAndDashesWork) {
  const auto configured = Parse("quantize: {calibration: [a, b], strict: true}\noutput-format: json\n");
  ASSERT_TRUE(configured.ok());
  CommandLine line;
  ASSERT_TRUE(line.Parse({"quantize", "m"}).ok());
  ASSERT_TRUE(line.ApplySettings(*configured, Environment({{"HEROQ_GROUP_SIZE", "64"}})).ok());
  EXPECT_EQ(line.job.calibration, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(line.job.strict);
  EXPECT_EQ(line.output_format(), OutputFormat::kJson);
  EXPECT_EQ(line.job.group_size, "64");
}

TEST(SettingsTest, OutputDirectoryAndRestartCannotBeConfigured) {
  EXPECT_FALSE(Parse("restart: true\n").ok());
  EXPECT_FALSE(Parse("quantize: {output: /x}\n").ok());
  CommandLine line;
  ASSERT_TRUE(line.Parse({"quantize", "m"}).ok());
  ASSERT_TRUE(line.ApplySettings({}, Environment({{"HEROQ_RESTART", "true"}, {"HEROQ_OUTPUT", "/x"}})).ok());
  EXPECT_FALSE(line.restart);
  EXPECT_FALSE(line.job.output.has_value());
}

TEST(SettingsTest, MistakesAreNamedWithLineAndSuggestion) {
  EXPECT_EQ(
      Parse("bits: 4\nsample: 3\n").status().message(),
      "config.yaml:2: 'sample' is not a flag of any command that a file may set. Did you mean samples?");
  EXPECT_EQ(Parse("quantise: {bits: 3}\n").status().message(),
            "config.yaml:1: 'quantise' is not a command. Did you mean quantize?");
  EXPECT_EQ(Parse("list: {bits: 3}\n").status().message(),
            "config.yaml:1: 'bits' is not a flag of heroq list that a file may set.");
  EXPECT_EQ(Parse("bits: 4\nbits: 3\n").status().message(), "config.yaml:2: 'bits' is given twice");
}

TEST(SettingsTest, RefusedValuesNameWhereTheyComeFrom) {
  CommandLine line;
  ASSERT_TRUE(line.Parse({"quantize", "m"}).ok());
  const absl::Status status = line.ApplySettings({}, Environment({{"HEROQ_BITS", "9"}}));
  EXPECT_EQ(status.message().substr(0, 11), "HEROQ_BITS:");
}

TEST(SettingsTest, EmptyFileSetsNothing) { EXPECT_TRUE(Parse("").value().empty()); }

}  // namespace
}  // namespace heroq
