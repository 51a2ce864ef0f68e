#include "coordinator/client/heroq_cli.h"

#include <gtest/gtest.h>

#include <sstream>

#include "coordinator/client/command_line.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

class HeroqCliTest : public ::testing::Test {
 protected:
  HeroqCliTest() {
    context_.out = &out_;
    context_.error = &error_;
    context_.files = &files_;
    context_.clock = &Clock::System();
    context_.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    };
    context_.terminal_size = [] { return TerminalSize(); };
    context_.working_directory = "/home/u";
    context_.version = "1.2.3";
  }

  int Run(const std::vector<std::string>& arguments) {
    out_.str("");
    error_.str("");
    return static_cast<int>(RunHeroq(arguments, context_));
  }

  std::ostringstream out_, error_;
  MemoryFileSystem files_;
  std::map<std::string, std::string> environment_;
  CliContext context_;
};

TEST_F(HeroqCliTest, NoCommandIsUsage) {
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(error_.str().substr(0, 48), "Quantizes large language models after training.\n");
}

TEST_F(HeroqCliTest, HelpIsData) {
  EXPECT_EQ(Run({"--help"}), 0);
  const std::string help = out_.str();
  EXPECT_EQ(Run({"help"}), 0);
  EXPECT_EQ(out_.str(), help);
  EXPECT_EQ(Run({"help", "quantize"}), 0);
  const std::string command_help = out_.str();
  EXPECT_EQ(Run({"quantize", "-h"}), 0);
  EXPECT_EQ(out_.str(), command_help);
  EXPECT_EQ(error_.str(), "");
  EXPECT_NE(command_help.find("--group-size auto|N|channel"), std::string::npos);
}

TEST_F(HeroqCliTest, OutputThatIsCutIsAnError) {
  out_.setstate(std::ios::badbit);
  EXPECT_EQ(Run({"help"}), 1);
  EXPECT_EQ(error_.str(), "heroq: error: standard output could not be written to its end\n");
}

TEST_F(HeroqCliTest, EveryCommandHasAFunction) {
  CommandLine line;
  for (const std::string& name : line.CommandNames()) {
    if (!ProgramOfCommand(name).empty()) continue;
    Run({name});
    EXPECT_EQ(error_.str().find("has no function"), std::string::npos) << name;
  }
}

TEST_F(HeroqCliTest, UsageErrorsExitTwo) {
  EXPECT_EQ(Run({"quantise"}), 2);
  EXPECT_EQ(error_.str(), "heroq: error: 'quantise' is not a command of heroq. Did you mean quantize?\n");
  EXPECT_EQ(Run({"quantize", "m"}), 2);
  EXPECT_NE(error_.str().find("heroq quantize expects --output DIR"), std::string::npos);
  EXPECT_EQ(Run({"help", "quantise"}), 2);
  EXPECT_EQ(Run({"list"}), 2);
  EXPECT_NE(error_.str().find("no server: give --server ADDR"), std::string::npos);
  EXPECT_EQ(Run({"quantize", "a:m", "--output", "a:o", "--server", "h:1", "--restart"}), 2);
  EXPECT_NE(error_.str().find("--restart is for local processes"), std::string::npos);
  EXPECT_EQ(Run({"quantize", "m", "--output", "o", "--device", "gpu"}), 2);
}

TEST_F(HeroqCliTest, UnreachableServerExitsFive) {
  EXPECT_EQ(Run({"list", "--server", "unix:/nowhere/s"}), 5);
  EXPECT_NE(error_.str().find("unix:/nowhere/s"), std::string::npos);
}

TEST_F(HeroqCliTest, VersionNamesWhatThisBuildKnows) {
  EXPECT_EQ(Run({"version"}), 0);
  EXPECT_EQ(out_.str(),
            "heroq 1.2.3\nmethods   rtn, gptq, dash-q, hero-q, awq, smoothquant, arhq\nformats   "
            "compressed-tensors, gptq, gptq_v2, dense\nfamilies  llama\n");
  EXPECT_EQ(Run({"version", "-o", "name"}), 0);
  EXPECT_EQ(out_.str(), "1.2.3\n");
}

TEST_F(HeroqCliTest, ConfigurationComesFromTheUsersFile) {
  ASSERT_TRUE(files_.CreateDirectories("/home/u/.config/heroq").ok());
  ASSERT_TRUE(WriteFileAtomically(files_, "/home/u/.config/heroq/config.yaml", "output-format: name\n").ok());
  environment_["HOME"] = "/home/u";
  EXPECT_EQ(Run({"version"}), 0);
  EXPECT_EQ(out_.str(), "1.2.3\n");
  environment_["HEROQ_OUTPUT_FORMAT"] = "jsonl";
  EXPECT_EQ(Run({"version"}), 0);
  EXPECT_EQ(out_.str().substr(0, 20), "{\"version\":\"1.2.3\",\"");
}

TEST_F(HeroqCliTest, MistakesInTheConfigurationAreUsageErrors) {
  ASSERT_TRUE(files_.CreateDirectories("/home/u").ok());
  ASSERT_TRUE(WriteFileAtomically(files_, "/home/u/mine.yaml", "bist: 4\n").ok());
  EXPECT_EQ(Run({"version", "--config", "mine.yaml"}), 2);
  EXPECT_NE(error_.str().find("/home/u/mine.yaml:1: 'bist'"), std::string::npos);
  EXPECT_EQ(Run({"version", "--config", "none.yaml"}), 1);
}

TEST_F(HeroqCliTest, MissingFilesAreErrors) {
  EXPECT_EQ(Run({"inspect", "nowhere"}), 1);
  EXPECT_NE(error_.str().find("/home/u/nowhere has no config.json"), std::string::npos);
  EXPECT_EQ(Run({"report", "nowhere"}), 1);
}

TEST_F(HeroqCliTest, ServeAndWorkerAreOtherPrograms) {
  EXPECT_EQ(ProgramOfCommand("serve"), "heroq-coordinator");
  EXPECT_EQ(ProgramOfCommand("worker"), "heroq-worker");
  EXPECT_EQ(ProgramOfCommand("quantize"), "");
}

}  // namespace
}  // namespace heroq
