#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// Defaults of flags from outside the command line. A flag on the command line wins over the environment
// (HEROQ_GROUP_SIZE=64 is --group-size 64), the environment over the configuration file.

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// Values of flags without their dashes, by command; "" holds those for every command that has the flag.
using ConfiguredFlags = std::map<std::string, std::map<std::string, std::vector<std::string>>>;

// YAML: `flag: value` or `flag: [values]` for every command that has it, `command: {flag: value}` for one.
// Every name must be a command or flag of `root`. INVALID_SPEC names file, line and the probable name.
absl::StatusOr<ConfiguredFlags> ParseSettings(absl::string_view text, absl::string_view file_name,
                                              CLI::App& root);

// Gives every option of the parsed `command` that was not on the command line its value from `environment`,
// else from `configured`. Flags that name or destroy one run's data (--output, --spec, --restart, ...) are
// left alone. INVALID_SPEC names where a value that the option refuses came from.
absl::Status ApplySettings(CLI::App& command, const ConfiguredFlags& configured,
                           const EnvironmentLookup& environment);

// "group-size" -> "HEROQ_GROUP_SIZE".
std::string EnvironmentName(absl::string_view flag);

// True for flags that ApplySettings sets.
bool IsConfigurable(absl::string_view flag);

}  // namespace heroq
