// plan: on a server, or here without any process.
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "common/blob/directory_blob_store.h"
#include "common/status/status_macros.h"
#include "coordinator/client/command_support.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/plan_text.h"
#include "coordinator/client/run_directory.h"
#include "coordinator/planning/planner.h"

namespace heroq {
namespace {

absl::StatusOr<v1::PlanQuantizationJobResponse> PlanLocally(v1::JobSpec spec, const CliContext& context) {
  FileSystem& files = *context.files;
  HEROQ_ASSIGN_OR_RETURN(const std::string scratch, NewTemporaryDirectory());
  const absl::Cleanup remove = [&] { files.RemoveTree(scratch).IgnoreError(); };
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<DirectoryBlobStore> blobs,
                         DirectoryBlobStore::Open(files, scratch));
  const bool without_output = !spec.output().has_location();
  if (without_output) {
    // Where the result goes changes nothing else in a plan.
    v1::Location& location = *spec.mutable_output()->mutable_location();
    location.set_root(std::string(kLocalRoot));
    location.set_path(JoinPath(scratch, "output").substr(1));
  }
  const Planner planner(files, *blobs, {{std::string(kLocalRoot), "/"}});
  HEROQ_ASSIGN_OR_RETURN(InspectedJob job, planner.Inspect(spec));
  if (without_output) {
    job.plan.clear_output_directory();
    job.spec.mutable_output()->clear_location();
  }
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
    HEROQ_ASSIGN_OR_RETURN(response, PlanLocally(spec, context));
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
