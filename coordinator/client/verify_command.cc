// verify: on a server, or here without any process.
#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "common/status/status_macros.h"
#include "coordinator/client/command_support.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/text_table.h"
#include "coordinator/validation/checkpoint_validator.h"
#include "coordinator/validation/findings.h"

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

// Nothing wrong was found, but nothing beyond the configuration was looked at either.
bool OnlyUnsupported(const v1::ValidateCheckpointResponse& response) {
  return std::all_of(
      response.findings().begin(), response.findings().end(),
      [](const v1::ValidationFinding& finding) { return finding.rule() == kFormatUnsupported; });
}

ExitCode ExitCodeOf(const v1::ValidateCheckpointResponse& response) {
  if (response.findings().empty()) return ExitCode::kOk;
  return OnlyUnsupported(response) ? ExitCode::kNotChecked : ExitCode::kError;
}

std::string WeightErrorText(const v1::ValidateCheckpointResponse& response) {
  if (response.weight_errors().empty()) return "";
  double sum = 0;
  const v1::LinearWeightError* worst = &response.weight_errors(0);
  for (const v1::LinearWeightError& error : response.weight_errors()) {
    sum += error.weight_error();
    if (error.weight_error() > worst->weight_error()) worst = &error;
  }
  return absl::StrFormat("weight error of %d linears: mean %.3g, worst %.3g (%s)\n",
                         response.weight_errors_size(), sum / response.weight_errors_size(),
                         worst->weight_error(), worst->linear());
}

}  // namespace

absl::StatusOr<ExitCode> RunVerify(CommandLine& line, const CliContext& context) {
  if (line.directory.empty()) return MissingArgument(line, "DIR");
  HEROQ_ASSIGN_OR_RETURN(const v1::ValidateCheckpointResponse response, Validate(line, context));
  const ExitCode code = ExitCodeOf(response);
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
      *context.out << WeightErrorText(response);
      if (code == ExitCode::kNotChecked) {
        *context.out << "unsupported layout: not checked\n";
      } else {
        *context.out << response.checks() << " checks, " << response.findings_size() << " findings\n";
      }
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
