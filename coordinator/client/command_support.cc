#include "coordinator/client/command_support.h"

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/error_text.h"
#include "coordinator/client/job_spec_file.h"
#include "coordinator/client/job_summary.h"
#include "coordinator/client/job_text.h"
#include "coordinator/client/number_format.h"
#include "coordinator/client/text_table.h"

namespace heroq {
namespace {

constexpr int64_t kMaxSpecBytes = 4 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<QuantizationClient>> ClientOf(const CommandLine& line,
                                                             const CliContext& context) {
  if (!line.server.has_value()) {
    return MakeError(Reason::kInvalidSpec,
                     "no server: give --server ADDR, or set HEROQ_SERVER or `server:` in the "
                     "configuration file");
  }
  return ConnectTo(*line.server, *context.clock);
}

LocationReader LocationsOf(const CommandLine& line, const CliContext& context) {
  return line.server.has_value() ? LocationReader::Remote()
                                 : LocationReader::Local(context.working_directory);
}

absl::StatusOr<v1::JobSpec> SpecOf(const CommandLine& line, const CliContext& context) {
  const LocationReader locations = LocationsOf(line, context);
  v1::JobSpec spec;
  if (line.job.spec_file.has_value()) {
    const std::string path = AbsolutePath(context.working_directory, *line.job.spec_file);
    HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(*context.files, path, kMaxSpecBytes));
    HEROQ_ASSIGN_OR_RETURN(spec, ParseJobSpecFile(text, *line.job.spec_file, locations));
  }
  HEROQ_RETURN_IF_ERROR(ApplyJobFlags(line.job, locations, spec));
  return spec;
}

std::unique_ptr<ProgressRenderer> ProgressOf(const CommandLine& line, const CliContext& context) {
  ProgressOptions options{context.terminal, context.terminal_size, line.quiet};
  if (line.no_progress) options.terminal.animated = false;
  return NewProgressRenderer(*context.error, *context.clock, std::move(options));
}

absl::StatusOr<std::optional<absl::Duration>> DeadlineOf(const CommandLine& line, const CliContext& context) {
  if (!line.timeout.has_value()) return std::optional<absl::Duration>();
  HEROQ_ASSIGN_OR_RETURN(const absl::Duration timeout, ParseTimeout("--timeout", *line.timeout));
  return std::optional<absl::Duration>(context.clock->Monotonic() + timeout);
}

void PrintJobs(const std::vector<v1::QuantizationJob>& jobs, const CommandLine& line,
               const CliContext& context) {
  const OutputFormat format = line.output_format();
  if (format == OutputFormat::kTable) {
    TextTable table({"JOB", "STATE", "PHASE", "CALIBRATED", "QUANTIZED", "AGE", "METHOD", "MODEL"});
    for (const v1::QuantizationJob& job : jobs) {
      const auto count = [](const v1::PhaseProgress& progress) {
        return progress.tasks_total() == 0 ? ""
                                           : absl::StrCat(progress.tasks_done(), "/", progress.tasks_total());
      };
      table.AddRow({JobIdText(job.name()), StateText(job.state()), PhaseText(job.phase()),
                    count(job.calibration()), count(job.quantization()),
                    DurationText(AgeOf(job, context.clock->Now())), MethodText(job.spec()),
                    LocationText(job.spec().model().location())});
    }
    *context.out << table.Render();
    return;
  }
  for (const v1::QuantizationJob& job : jobs) {
    if (format == OutputFormat::kName) {
      *context.out << job.name() << "\n";
    } else {
      if (format == OutputFormat::kYaml && jobs.size() > 1) *context.out << "---\n";
      *context.out << FormatMessage(job, format);
    }
  }
}

ExitCode PrintEnd(const v1::QuantizationJob& job, std::optional<int64_t> source_bytes,
                  const CommandLine& line, const CliContext& context) {
  const ExitCode code = ExitCodeOf(job);
  switch (line.output_format()) {
    case OutputFormat::kTable:
      if (code == ExitCode::kOk) *context.out << FormatSummary(job, source_bytes);
      break;
    case OutputFormat::kName:
      if (code == ExitCode::kOk) *context.out << job.result().directory() << "\n";
      break;
    default:
      *context.out << FormatMessage(job, line.output_format());
  }
  context.out->flush();
  if (job.state() == v1::QuantizationJob::STATE_CANCELLED) {
    *context.error << "heroq: error: job " << JobIdText(job.name()) << " was cancelled\n";
  } else if (code != ExitCode::kOk) {
    *context.error << FormatFailure(job);
  }
  return code;
}

absl::Status MissingArgument(CommandLine& line, absl::string_view argument) {
  const std::string& command = line.command()->get_name();
  return MakeError(Reason::kInvalidSpec, absl::StrCat("heroq ", command, " expects ", argument,
                                                      "; heroq help ", command, " shows how"));
}

}  // namespace heroq
