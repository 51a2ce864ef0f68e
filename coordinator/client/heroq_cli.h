#pragma once

#include <string>
#include <vector>

#include "coordinator/client/cli_context.h"
#include "coordinator/client/exit_code.h"

namespace heroq {

// The `heroq` command without its process: parses, runs, prints. `arguments` without the program's name.
// Blocking; to be called on the main thread before any other exists.
ExitCode RunHeroq(const std::vector<std::string>& arguments, const CliContext& context);

// The program `heroq serve` and `heroq worker` turn into, "" for any other command.
std::string ProgramOfCommand(const std::string& command);

}  // namespace heroq
