// watch and wait: following jobs of a server, and quantize --server.
#include "coordinator/client/watch_commands.h"

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/command_support.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/job_text.h"
#include "coordinator/client/job_watcher.h"
#include "coordinator/client/signal_watcher.h"

namespace heroq {

absl::StatusOr<ExitCode> FollowOnServer(QuantizationClient& client, const std::string& job_name,
                                        UiEventQueue& events, std::optional<absl::Duration> deadline,
                                        CommandLine& line, const CliContext& context) {
  FollowResult result;
  {
    const std::unique_ptr<ProgressRenderer> progress = ProgressOf(line, context);
    JobWatcher watcher(client, job_name, kServerPatience, *context.clock, events);
    FollowHooks hooks;
    if (line.command()->get_name() == "watch" && line.output_format() == OutputFormat::kJsonLines) {
      hooks.on_update = [&](const v1::WatchQuantizationJobResponse& update) {
        *context.out << FormatMessage(update, OutputFormat::kJsonLines) << std::flush;
      };
    }
    result = FollowJob(events, *progress, *context.clock, deadline, hooks);
  }
  const std::string id = JobIdText(job_name);
  switch (result.end) {
    case FollowEnd::kJobEnded:
      // The updates were the data.
      if (line.command()->get_name() == "watch" && line.output_format() == OutputFormat::kJsonLines) {
        return ExitCodeOf(result.job);
      }
      if (line.jobs.size() > 1 && line.output_format() == OutputFormat::kTable)
        *context.out << "job             " << id << "\n";
      return PrintEnd(result.job, std::nullopt, line, context);
    case FollowEnd::kInterrupted:
      *context.error << "heroq: interrupted; the job goes on. heroq watch " << id
                     << " follows it again, heroq cancel " << id << " ends it.\n";
      return ExitCode::kInterrupted;
    case FollowEnd::kTimedOut:
      return absl::DeadlineExceededError(
          absl::StrCat("job ", id, " has not ended within ", *line.timeout, "; it goes on"));
    case FollowEnd::kFailed:
      break;
  }
  return result.status;
}

absl::StatusOr<ExitCode> RunWatch(CommandLine& line, const CliContext& context) {
  if (line.jobs.size() != 1) return MissingArgument(line, "one JOB");
  return RunWait(line, context);
}

absl::StatusOr<ExitCode> RunWait(CommandLine& line, const CliContext& context) {
  if (line.jobs.empty()) return MissingArgument(line, "JOB");
  HEROQ_ASSIGN_OR_RETURN(const std::optional<absl::Duration> deadline, DeadlineOf(line, context));
  UiEventQueue events;
  const SignalWatcher signals(events);
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
  ExitCode worst = ExitCode::kOk;
  for (const std::string& id : line.jobs) {
    HEROQ_ASSIGN_OR_RETURN(const ExitCode code,
                           FollowOnServer(*client, JobName(id), events, deadline, line, context));
    if (code == ExitCode::kInterrupted) return code;
    if (worst == ExitCode::kOk) worst = code;
  }
  return worst;
}

}  // namespace heroq
