#include "coordinator/client/terminal.h"

#include <gtest/gtest.h>

#include <map>

namespace heroq {
namespace {

Terminal Describe(bool is_terminal, std::map<std::string, std::string> environment) {
  return DescribeTerminal(is_terminal, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  });
}

TEST(TerminalTest, TerminalIsAnimatedAndColoured) {
  const Terminal terminal = Describe(true, {{"TERM", "xterm"}, {"LANG", "C.UTF-8"}});
  EXPECT_TRUE(terminal.animated);
  EXPECT_TRUE(terminal.color);
  EXPECT_TRUE(terminal.unicode);
}

TEST(TerminalTest, PipesDumbTerminalsAndNoTermArePlain) {
  EXPECT_FALSE(Describe(false, {{"TERM", "xterm"}}).animated);
  EXPECT_FALSE(Describe(true, {{"TERM", "dumb"}}).animated);
  EXPECT_FALSE(Describe(true, {}).animated);
  EXPECT_FALSE(Describe(false, {{"TERM", "xterm"}}).color);
}

TEST(TerminalTest, NoColorAndForcedColor) {
  EXPECT_FALSE(Describe(true, {{"TERM", "xterm"}, {"NO_COLOR", "1"}}).color);
  EXPECT_TRUE(Describe(true, {{"TERM", "xterm"}, {"NO_COLOR", ""}}).color);
  EXPECT_TRUE(Describe(false, {{"CLICOLOR_FORCE", "1"}}).color);
  EXPECT_FALSE(Describe(false, {{"CLICOLOR_FORCE", "0"}}).color);
}

TEST(TerminalTest, FirstLocaleVariableThatIsSetDecides) {
  EXPECT_TRUE(Describe(true, {{"LC_ALL", "en_US.utf8"}, {"LANG", "C"}}).unicode);
  EXPECT_FALSE(Describe(true, {{"LC_ALL", "C"}, {"LANG", "en_US.UTF-8"}}).unicode);
  EXPECT_FALSE(Describe(true, {}).unicode);
}

}  // namespace
}  // namespace heroq
