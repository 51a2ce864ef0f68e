#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "heroq/v1/scheme.pb.h"

namespace heroq {

// Flags of methods that change the basis of a model before they quantize it.
struct TransformFlags {
  std::optional<std::string> transform;
  std::optional<std::string> rotation;
  std::optional<std::string> tier;
  std::optional<std::string> base;
  std::vector<double> alphas;
  std::optional<int> rotation_steps;
  std::optional<int> alpha_candidates;
  bool exact = false;
};

void AddTransformFlags(CLI::App& command, TransformFlags& flags);

// Sets what was given. INVALID_SPEC naming a flag that has no meaning for the selected method.
absl::Status ApplyTransformFlags(const TransformFlags& flags, v1::MethodSpec& method);

}  // namespace heroq
