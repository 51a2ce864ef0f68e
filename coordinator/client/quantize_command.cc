// quantize and eval, on child processes or a server.
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/temporary_name.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/command_support.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/embedded_job.h"
#include "coordinator/client/local_plan.h"
#include "coordinator/client/published_result.h"
#include "coordinator/client/resume_decision.h"
#include "coordinator/client/run_directory.h"
#include "coordinator/client/signal_watcher.h"
#include "coordinator/client/watch_commands.h"

namespace heroq {
namespace {

absl::StatusOr<ExitCode> RunOnServer(const v1::JobSpec& spec, CommandLine& line, const CliContext& context) {
  const std::pair<bool, const char*> local_flags[] = {{line.workers.has_value(), "--workers"},
                                                      {line.device.has_value(), "--device"},
                                                      {line.restart, "--restart"},
                                                      {line.keep_state, "--keep-state"}};
  for (const auto& [given, flag] : local_flags) {
    if (given) {
      return MakeError(Reason::kInvalidSpec,
                       absl::StrCat(flag, " is for local processes; it has no meaning with --server"));
    }
  }
  HEROQ_ASSIGN_OR_RETURN(const std::optional<absl::Duration> deadline, DeadlineOf(line, context));
  UiEventQueue events;
  const SignalWatcher signals(events);
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
  v1::CreateQuantizationJobRequest request;
  *request.mutable_spec() = spec;
  request.set_request_id(TemporaryName());
  HEROQ_ASSIGN_OR_RETURN(const v1::QuantizationJob job, client->Create(request));
  return FollowOnServer(*client, job.name(), events, deadline, line, context);
}

std::optional<int64_t> WeightBytes(FileSystem& files, const std::string& model) {
  const auto names = files.List(model);
  if (!names.ok()) return std::nullopt;
  int64_t bytes = 0;
  for (const std::string& name : *names) {
    const auto info = files.Stat(JoinPath(model, name));
    if (info.ok() && absl::EndsWith(name, ".safetensors")) bytes += info->size;
  }
  return bytes;
}

absl::StatusOr<ExitCode> ReportRun(const FollowResult& result, const std::string& model,
                                   const std::string& kept, CommandLine& line, const CliContext& context) {
  switch (result.end) {
    case FollowEnd::kJobEnded:
      return PrintEnd(result.job, WeightBytes(*context.files, model), line, context);
    case FollowEnd::kInterrupted:
      *context.error << "heroq: interrupted" << kept << "\n";
      return ExitCode::kInterrupted;
    case FollowEnd::kTimedOut:
      return absl::DeadlineExceededError(absl::StrCat("not done within ", *line.timeout, kept));
    case FollowEnd::kFailed:
      break;
  }
  return result.status;
}

// Of a run that was killed while it removed its directory.
absl::Status RemoveLeftovers(const CliContext& context, const std::string& output) {
  if (!context.files->Exists(output + ".heroq")) return absl::OkStatus();
  UiEventQueue events;
  const absl::StatusOr<std::unique_ptr<RunDirectory>> run =
      RunDirectory::Open(*context.files, *context.clock, output, events);
  // Whoever has it is at the end of its run and removes it.
  if (HasReason(run.status(), Reason::kOutputInUse)) return absl::OkStatus();
  HEROQ_RETURN_IF_ERROR(run.status());
  return (*run)->Remove();
}

absl::StatusOr<ExitCode> QuantizeLocally(const v1::JobSpec& spec, CommandLine& line,
                                         const CliContext& context) {
  for (const v1::Location* location : {&spec.model().location(), &spec.output().location()}) {
    if (location->root() != kLocalRoot) {
      return MakeError(
          Reason::kInvalidSpec,
          absl::StrCat("root '", location->root(), "' needs --server; without it the root is ", kLocalRoot));
    }
  }
  const std::string output = LocalPath(spec.output().location());
  HEROQ_ASSIGN_OR_RETURN(EmbeddedOptions options, EmbeddedOptionsOf(line, spec, context.hardware_threads));
  HEROQ_ASSIGN_OR_RETURN(const std::optional<absl::Duration> deadline, DeadlineOf(line, context));
  // From here on there are files to clean up.
  UiEventQueue events;
  const SignalWatcher signals(events);
  // A run that was killed between publishing and cleaning up still has its request: it is finished like any
  // other.
  const bool unfinished_run = context.files->Exists(JoinPath(output + ".heroq", "job.json"));
  if (context.files->Exists(output) && !unfinished_run) {
    HEROQ_RETURN_IF_ERROR(CheckPublished(*context.files, output, spec));
    HEROQ_RETURN_IF_ERROR(RemoveLeftovers(context, output));
    if (!line.quiet) *context.error << "heroq: " << output << " holds the result of this job already\n";
    if (line.output_format() == OutputFormat::kName) *context.out << output << "\n";
    return ExitCode::kOk;
  }
  // What can be refused is, before there is a directory or a process; an unfinished run was checked then.
  if (!unfinished_run || line.restart) HEROQ_RETURN_IF_ERROR(PlanLocally(*context.files, spec).status());
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<RunDirectory> run,
                         RunDirectory::Open(*context.files, *context.clock, output, events));
  std::optional<v1::CreateQuantizationJobRequest> unfinished;
  if (!line.restart) {
    HEROQ_ASSIGN_OR_RETURN(unfinished, run->ReadRequest());
  }
  HEROQ_ASSIGN_OR_RETURN(const ResumeAction action, DecideResume(unfinished, spec, line.restart, output));
  const std::unique_ptr<ProgressRenderer> progress = ProgressOf(line, context);
  if (action == ResumeAction::kStart) {
    HEROQ_RETURN_IF_ERROR(run->Discard());
  } else {
    progress->Note(absl::StrCat("resuming the unfinished run in ", run->path()));
  }
  options.directory = run->path();
  options.socket_directory = run->socket_directory();
  const v1::CreateQuantizationJobRequest request = RequestFor(spec);
  const absl::StatusOr<FollowResult> result = RunEmbeddedJob(
      context, options, request, deadline, events, *progress, [&] { return run->WriteRequest(request); });
  progress->Finish();
  if (!result.ok()) {
    // Nothing was begun: leave no trace, unless the log is what explains it.
    if (action == ResumeAction::kStart && !HasReason(result.status(), Reason::kFailedToStart)) {
      HEROQ_RETURN_IF_ERROR(run->Remove());
    }
    return result.status();
  }
  std::string kept = absl::StrCat("; the same command resumes (", run->path(), " holds what is done)");
  if (result->end == FollowEnd::kJobEnded && !line.keep_state) {
    if (ExitCodeOf(result->job) == ExitCode::kOk) {
      HEROQ_RETURN_IF_ERROR(run->Remove());
    } else {
      HEROQ_RETURN_IF_ERROR(run->Discard());
      if (!line.quiet) *context.error << "heroq: logs are in " << JoinPath(run->path(), "log") << "\n";
    }
  }
  return ReportRun(*result, LocalPath(spec.model().location()), kept, line, context);
}

absl::StatusOr<ExitCode> EvaluateLocally(const v1::JobSpec& spec, CommandLine& line,
                                         const CliContext& context) {
  HEROQ_ASSIGN_OR_RETURN(EmbeddedOptions options, EmbeddedOptionsOf(line, spec, context.hardware_threads));
  HEROQ_ASSIGN_OR_RETURN(const std::optional<absl::Duration> deadline, DeadlineOf(line, context));
  UiEventQueue events;
  const SignalWatcher signals(events);
  HEROQ_RETURN_IF_ERROR(PlanLocally(*context.files, spec).status());
  HEROQ_ASSIGN_OR_RETURN(options.directory, NewTemporaryDirectory());
  const absl::Cleanup remove = [&] { context.files->RemoveTree(options.directory).IgnoreError(); };
  options.socket_directory = options.directory;
  const std::unique_ptr<ProgressRenderer> progress = ProgressOf(line, context);
  HEROQ_ASSIGN_OR_RETURN(const FollowResult result,
                         RunEmbeddedJob(context, options, RequestFor(spec), deadline, events, *progress,
                                        [] { return absl::OkStatus(); }));
  progress->Finish();
  return ReportRun(result, LocalPath(spec.model().location()), "", line, context);
}

}  // namespace

absl::StatusOr<ExitCode> RunQuantize(CommandLine& line, const CliContext& context) {
  HEROQ_ASSIGN_OR_RETURN(const v1::JobSpec spec, SpecOf(line, context));
  if (!spec.model().has_location()) return MissingArgument(line, "MODEL");
  if (!spec.output().has_location()) return MissingArgument(line, "--output DIR");
  return line.server.has_value() ? RunOnServer(spec, line, context) : QuantizeLocally(spec, line, context);
}

absl::StatusOr<ExitCode> RunEval(CommandLine& line, const CliContext& context) {
  if (line.directory.empty()) return MissingArgument(line, "CHECKPOINT");
  if (!line.job.model.has_value()) return MissingArgument(line, "--reference MODEL");
  const LocationReader locations = LocationsOf(line, context);
  v1::JobSpec spec;
  HEROQ_ASSIGN_OR_RETURN(*spec.mutable_evaluate_checkpoint(), locations.Read("CHECKPOINT", line.directory));
  HEROQ_RETURN_IF_ERROR(ApplyJobFlags(line.job, locations, spec));
  if (!spec.evaluation().has_source()) return MissingArgument(line, "--evaluation TEXT");
  return line.server.has_value() ? RunOnServer(spec, line, context) : EvaluateLocally(spec, line, context);
}

}  // namespace heroq
