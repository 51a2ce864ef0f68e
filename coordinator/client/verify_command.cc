// verify: on a server, or here without any process.
#include <memory>

#include "common/status/status_macros.h"
#include "coordinator/client/command_support.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/text_table.h"
#include "coordinator/validation/checkpoint_validator.h"

namespace heroq {
namespace {

absl::StatusOr<v1::ValidateCheckpointResponse> Validate(CommandLine& line, const CliContext& context) {
  const LocationReader locations = LocationsOf(line, context);
  v1::ValidateCheckpointRequest request;
  HEROQ_ASSIGN_OR_RETURN(*request.mutable_checkpoint(), locations.Read("DIR", line.directory));
  if (line.source.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(*request.mutable_source(), locations.Read("--source", *line.source));
  }
  if (line.server.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
    return client->Validate(request);
  }
  return ValidateCheckpoint(*context.files, LocalPath(request.checkpoint()),
                            request.has_source() ? LocalPath(request.source()) : "");
}

}  // namespace

absl::StatusOr<ExitCode> RunVerify(CommandLine& line, const CliContext& context) {
  if (line.directory.empty()) return MissingArgument(line, "DIR");
  HEROQ_ASSIGN_OR_RETURN(const v1::ValidateCheckpointResponse response, Validate(line, context));
  const ExitCode code = response.findings_size() == 0 ? ExitCode::kOk : ExitCode::kError;
  switch (line.output_format()) {
    case OutputFormat::kTable:
      if (code != ExitCode::kOk) {
        TextTable table({"RULE", "TENSOR", "FILE", "EXPECTED", "FOUND"});
        for (const v1::ValidationFinding& finding : response.findings()) {
          table.AddRow(
              {finding.rule(), finding.tensor(), finding.file(), finding.expected(), finding.found()});
        }
        *context.out << table.Render();
      }
      *context.out << response.checks() << " checks, " << response.findings_size() << " findings\n";
      break;
    case OutputFormat::kName:
      for (const v1::ValidationFinding& finding : response.findings()) *context.out << finding.rule() << "\n";
      break;
    default:
      *context.out << FormatMessage(response, line.output_format());
  }
  return code;
}

}  // namespace heroq
