#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/client/cli_context.h"
#include "coordinator/client/command_line.h"
#include "coordinator/client/exit_code.h"
#include "coordinator/client/follow_job.h"
#include "coordinator/client/progress_renderer.h"
#include "coordinator/client/quantization_client.h"

namespace heroq {

// What several commands do in the same way.

// The client of --server. INVALID_SPEC when no address was given.
absl::StatusOr<std::unique_ptr<QuantizationClient>> ClientOf(const CommandLine& line,
                                                             const CliContext& context);

// Paths as the command line means them: of this machine, or ROOT:PATH with --server.
LocationReader LocationsOf(const CommandLine& line, const CliContext& context);

// The specification file, then the flags.
absl::StatusOr<v1::JobSpec> SpecOf(const CommandLine& line, const CliContext& context);

// --no-progress and --quiet.
std::unique_ptr<ProgressRenderer> ProgressOf(const CommandLine& line, const CliContext& context);

// The moment of --timeout on the monotonic clock.
absl::StatusOr<std::optional<absl::Duration>> DeadlineOf(const CommandLine& line, const CliContext& context);

// Jobs as --output-format says: a table, one document per job, or names.
void PrintJobs(const std::vector<v1::QuantizationJob>& jobs, const CommandLine& line,
               const CliContext& context);

// How a job ended: a summary (table), the job, or the published directory (name). A failed one goes to
// standard error.
ExitCode PrintEnd(const v1::QuantizationJob& job, std::optional<int64_t> source_bytes,
                  const CommandLine& line, const CliContext& context);

// A complaint about an argument that is missing: INVALID_SPEC "heroq COMMAND expects ARGUMENT".
absl::Status MissingArgument(CommandLine& line, absl::string_view argument);

}  // namespace heroq
