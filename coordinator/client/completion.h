#pragma once

#include <string>

#include "CLI/App.hpp"
#include "absl/strings/string_view.h"

namespace heroq {

// A completion script of the command tree for "bash", "zsh" or "fish": commands, flags, the values of flags
// that have a fixed list, files elsewhere. "" for any other shell.
std::string CompletionScript(absl::string_view shell, const CLI::App& root);

}  // namespace heroq
