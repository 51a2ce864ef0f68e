// submit, list, get, cancel, delete, workers: one call each.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/file/temporary_name.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/command_support.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/job_text.h"
#include "coordinator/client/number_format.h"
#include "coordinator/client/text_table.h"

namespace heroq {
namespace {

// Calls `call` for every JOB argument and prints the jobs it gives.
template <typename Call>
absl::StatusOr<ExitCode> ForEachJob(CommandLine& line, const CliContext& context, Call call) {
  if (line.jobs.empty()) return MissingArgument(line, "JOB");
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
  std::vector<v1::QuantizationJob> jobs;
  for (const std::string& id : line.jobs) {
    HEROQ_ASSIGN_OR_RETURN(v1::QuantizationJob job, call(*client, JobName(id)));
    jobs.push_back(std::move(job));
  }
  PrintJobs(jobs, line, context);
  return ExitCode::kOk;
}

}  // namespace

absl::StatusOr<ExitCode> RunSubmit(CommandLine& line, const CliContext& context) {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
  v1::CreateQuantizationJobRequest request;
  HEROQ_ASSIGN_OR_RETURN(*request.mutable_spec(), SpecOf(line, context));
  request.set_quantization_job_id(line.job_id.value_or(""));
  request.set_request_id(TemporaryName());
  HEROQ_ASSIGN_OR_RETURN(const v1::QuantizationJob job, client->Create(request));
  PrintJobs({job}, line, context);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunList(CommandLine& line, const CliContext& context) {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
  std::vector<v1::QuantizationJob::State> states;
  for (const std::string& text : line.states) {
    v1::QuantizationJob::State state = v1::QuantizationJob::STATE_UNSPECIFIED;
    // The flag takes exactly these names.
    v1::QuantizationJob::State_Parse(absl::StrCat("STATE_", absl::AsciiStrToUpper(text)), &state);
    states.push_back(state);
  }
  HEROQ_ASSIGN_OR_RETURN(const std::vector<v1::QuantizationJob> jobs,
                         client->List(states, line.limit.value_or(0)));
  PrintJobs(jobs, line, context);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunGet(CommandLine& line, const CliContext& context) {
  return ForEachJob(line, context,
                    [](QuantizationClient& client, const std::string& name) { return client.Get(name); });
}

absl::StatusOr<ExitCode> RunCancel(CommandLine& line, const CliContext& context) {
  return ForEachJob(line, context,
                    [](QuantizationClient& client, const std::string& name) { return client.Cancel(name); });
}

absl::StatusOr<ExitCode> RunDelete(CommandLine& line, const CliContext& context) {
  if (line.jobs.empty()) return MissingArgument(line, "JOB");
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
  for (const std::string& id : line.jobs) HEROQ_RETURN_IF_ERROR(client->Delete(JobName(id)));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunWorkers(CommandLine& line, const CliContext& context) {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
  HEROQ_ASSIGN_OR_RETURN(const v1::ListWorkersResponse response, client->Workers());
  const OutputFormat format = line.output_format();
  if (format == OutputFormat::kTable) {
    TextTable table({"WORKER", "DEVICE", "CORES", "RUNNING", "MEMORY", "HEARTBEAT", "STATE", "NUMERIC CLASS"},
                    {2, 4});
    for (const v1::Worker& worker : response.workers()) {
      table.AddRow({worker.worker_id(), worker.device(), absl::StrCat(worker.cores()),
                    absl::StrCat(worker.running(), "/", worker.slots()), FormatBytes(worker.rss_bytes()),
                    DurationText(absl::Seconds(worker.seconds_since_heartbeat())),
                    worker.draining() ? "draining" : "ready", worker.numeric_class()});
    }
    *context.out << table.Render();
    return ExitCode::kOk;
  }
  for (const v1::Worker& worker : response.workers()) {
    if (format == OutputFormat::kName) {
      *context.out << worker.worker_id() << "\n";
    } else {
      if (format == OutputFormat::kYaml && response.workers_size() > 1) *context.out << "---\n";
      *context.out << FormatMessage(worker, format);
    }
  }
  return ExitCode::kOk;
}

}  // namespace heroq
