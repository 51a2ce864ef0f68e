// plan: on a server, or here without any process.
#include <memory>

#include "common/status/status_macros.h"
#include "coordinator/client/command_support.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/local_plan.h"
#include "coordinator/client/plan_text.h"

namespace heroq {
namespace {

absl::StatusOr<v1::PlanQuantizationJobResponse> PlanHere(const v1::JobSpec& spec, const CliContext& context) {
  HEROQ_ASSIGN_OR_RETURN(InspectedJob job, PlanLocally(*context.files, spec));
  for (v1::PlannedFile& file : *job.plan.mutable_files()) file.clear_header();
  v1::PlanQuantizationJobResponse response;
  *response.mutable_plan() = std::move(job.plan);
  *response.mutable_resolved_spec() = std::move(job.spec);
  return response;
}

}  // namespace

absl::StatusOr<ExitCode> RunPlan(CommandLine& line, const CliContext& context) {
  HEROQ_ASSIGN_OR_RETURN(const v1::JobSpec spec, SpecOf(line, context));
  if (!spec.model().has_location()) return MissingArgument(line, "MODEL");
  v1::PlanQuantizationJobResponse response;
  if (line.server.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
    HEROQ_ASSIGN_OR_RETURN(response, client->Plan(spec));
  } else {
    HEROQ_ASSIGN_OR_RETURN(response, PlanHere(spec, context));
  }
  switch (line.output_format()) {
    case OutputFormat::kTable:
      *context.out << FormatPlan(response);
      break;
    case OutputFormat::kName:
      for (const v1::PlannedUnit& unit : response.plan().units()) {
        for (const v1::PlannedLinear& linear : unit.linears()) *context.out << linear.name() << "\n";
      }
      break;
    default:
      *context.out << FormatMessage(response, line.output_format());
  }
  return ExitCode::kOk;
}

}  // namespace heroq
