#pragma once

#include <functional>
#include <optional>
#include <string>

namespace heroq {

struct TerminalSize {
  int width = 80;
  int height = 24;
};

// What may be written to standard error.
struct Terminal {
  bool animated = false;  // a terminal that can move its cursor; otherwise plain lines
  bool color = false;
  bool unicode = false;  // bars of block characters instead of '#'
};

// From whether standard error is a terminal and the environment: TERM=dumb or unset is not animated; NO_COLOR
// (not empty) has no colour, CLICOLOR_FORCE (not empty, not 0) has it anywhere; LC_ALL, LC_CTYPE or LANG name
// UTF-8.
Terminal DescribeTerminal(bool is_terminal,
                          const std::function<std::optional<std::string>(const std::string&)>& environment);

// Of standard error now; 80 x 24 when it is no terminal.
TerminalSize CurrentTerminalSize();
bool StandardErrorIsTerminal();

}  // namespace heroq
