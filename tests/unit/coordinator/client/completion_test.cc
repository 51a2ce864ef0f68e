#include "coordinator/client/completion.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "coordinator/client/command_line.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[256];
  while (fgets(buffer, sizeof(buffer), pipe) != nullptr) output += buffer;
  EXPECT_EQ(pclose(pipe), 0) << output;
  return output;
}

// What bash offers for the words of a command line, the last one unfinished; its words by spaces.
std::string BashOffers(const std::string& words) {
  CommandLine line;
  TemporaryDirectory directory;
  EXPECT_TRUE(
      WriteFileAtomically(FileSystem::Posix(), directory.File("c"), CompletionScript("bash", line.root()))
          .ok());
  return OutputOf("cd " + directory.path() + " && bash -c 'source ./c; COMP_WORDS=(" + words +
                  "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _heroq; echo \"${COMPREPLY[*]}\"'");
}

TEST(CompletionTest, BashOffersCommands) { EXPECT_EQ(BashOffers("heroq qu"), "quantize\n"); }

TEST(CompletionTest, BashOffersFlagsOfTheCommand) {
  EXPECT_EQ(BashOffers("heroq quantize m --calib"), "--calibration --calibration-tokens\n");
  EXPECT_EQ(BashOffers("heroq list --calib"), "\n");
}

TEST(CompletionTest, BashOffersValuesOfAFlag) {
  EXPECT_EQ(BashOffers("heroq quantize m --propagation q"), "quantized\n");
  EXPECT_EQ(BashOffers("heroq completion z"), "zsh\n");
  EXPECT_EQ(BashOffers("heroq help verif"), "verify\n");
}

TEST(CompletionTest, BashOffersFilesElsewhere) { EXPECT_EQ(BashOffers("heroq inspect c"), "c\n"); }

TEST(CompletionTest, EveryCommandAndLongFlagIsInEveryScript) {
  CommandLine line;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = CompletionScript(shell, line.root());
    for (const CLI::App* command : line.root().get_subcommands({})) {
      EXPECT_NE(script.find(command->get_name()), std::string::npos) << shell;
      for (const CLI::Option* option : command->get_options()) {
        for (const std::string& name : option->get_lnames())
          EXPECT_NE(script.find(name), std::string::npos) << shell;
      }
    }
  }
}

TEST(CompletionTest, UnknownShellHasNone) {
  CommandLine line;
  EXPECT_EQ(CompletionScript("tcsh", line.root()), "");
}

}  // namespace
}  // namespace heroq
