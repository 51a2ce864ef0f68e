#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "common/file/file_system.h"
#include "common/time/clock.h"
#include "coordinator/client/settings.h"
#include "coordinator/client/terminal.h"

namespace heroq {

// What a command sees of the process it runs in; tests give their own. Pointers are not owned.
struct CliContext {
  std::ostream* out = nullptr;    // data
  std::ostream* error = nullptr;  // progress and errors
  FileSystem* files = nullptr;
  Clock* clock = nullptr;
  EnvironmentLookup environment;
  Terminal terminal;
  std::function<TerminalSize()> terminal_size;
  std::string working_directory;     // absolute
  std::string executable_directory;  // where heroq-coordinator and heroq-worker are
  std::string version;
  int hardware_threads = 1;
};

}  // namespace heroq
