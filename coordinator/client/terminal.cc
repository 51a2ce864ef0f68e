#include "coordinator/client/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace heroq {

Terminal DescribeTerminal(bool is_terminal,
                          const std::function<std::optional<std::string>(const std::string&)>& environment) {
  const auto value = [&](const char* name) { return environment(name).value_or(""); };
  Terminal terminal;
  const std::string type = value("TERM");
  terminal.animated = is_terminal && !type.empty() && type != "dumb";
  const std::string forced = value("CLICOLOR_FORCE");
  terminal.color = value("NO_COLOR").empty() && (terminal.animated || (!forced.empty() && forced != "0"));
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = absl::AsciiStrToLower(value(name));
    if (locale.empty()) continue;
    terminal.unicode = absl::StrContains(locale, "utf-8") || absl::StrContains(locale, "utf8");
    break;
  }
  return terminal;
}

TerminalSize CurrentTerminalSize() {
  TerminalSize size;
  struct winsize window {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0) {
    size.width = window.ws_col;
    size.height = window.ws_row;
  }
  return size;
}

bool StandardErrorIsTerminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace heroq
