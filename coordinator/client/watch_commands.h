#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/client/cli_context.h"
#include "coordinator/client/command_line.h"
#include "coordinator/client/exit_code.h"
#include "coordinator/client/quantization_client.h"
#include "coordinator/client/ui_event.h"

namespace heroq {

// How long a server may be away before its jobs are no longer waited for: a restart takes less.
inline constexpr absl::Duration kServerPatience = absl::Minutes(2);

// Follows a job of a server to its end and prints it. An interrupt leaves the job running. Blocking.
absl::StatusOr<ExitCode> FollowOnServer(QuantizationClient& client, const std::string& job_name,
                                        UiEventQueue& events, std::optional<absl::Duration> deadline,
                                        CommandLine& line, const CliContext& context);

}  // namespace heroq
