#pragma once

#include <functional>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/client/cli_context.h"
#include "coordinator/client/command_line.h"
#include "coordinator/client/embedded_cluster.h"
#include "coordinator/client/follow_job.h"

namespace heroq {

// Workers, their memory and device as flags and job say; without --workers, cores / threads of one task.
// INVALID_SPEC names the flag.
absl::StatusOr<EmbeddedOptions> EmbeddedOptionsOf(const CommandLine& line, const v1::JobSpec& spec,
                                                  int hardware_threads);

// Starts a cluster, makes sure that the job of `request` is in it (one that failed before is started over),
// calls `on_accepted`, follows the job to its end and stops the cluster. An error means that the job was not
// accepted. Blocking.
absl::StatusOr<FollowResult> RunEmbeddedJob(const CliContext& context, const EmbeddedOptions& options,
                                            const v1::CreateQuantizationJobRequest& request,
                                            std::optional<absl::Duration> deadline, UiEventQueue& events,
                                            ProgressRenderer& progress,
                                            const std::function<absl::Status()>& on_accepted);

}  // namespace heroq
