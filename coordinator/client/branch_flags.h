#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "heroq/v1/scheme.pb.h"

namespace heroq {

// Flags of methods that split a low-rank branch off each linear.
struct BranchFlags {
  std::optional<std::string> branch;
  std::optional<int> rank;
  std::optional<std::string> activation_format;
};

void AddBranchFlags(CLI::App& command, BranchFlags& flags);

// Sets what was given. INVALID_SPEC naming a flag that has no meaning for the selected method.
absl::Status ApplyBranchFlags(const BranchFlags& flags, v1::MethodSpec& method);

}  // namespace heroq
