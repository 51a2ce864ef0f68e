#pragma once

#include "absl/status/statusor.h"
#include "coordinator/client/cli_context.h"
#include "coordinator/client/command_line.h"
#include "coordinator/client/exit_code.h"

namespace heroq {

// One function per command. Each prints its data to context.out; an error is returned and printed by
// RunHeroq. Blocking, main thread only.
absl::StatusOr<ExitCode> RunQuantize(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunEval(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunPlan(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunSubmit(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunList(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunGet(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunCancel(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunDelete(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunWatch(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunWait(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunWorkers(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunInspect(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunVerify(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunReport(CommandLine& line, const CliContext& context);
absl::StatusOr<ExitCode> RunVersion(CommandLine& line, const CliContext& context);

}  // namespace heroq
