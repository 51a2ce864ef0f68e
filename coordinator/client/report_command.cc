// report: report/report.json of a checkpoint as a table.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/command_support.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/report_summary.h"
#include "coordinator/client/yaml_text.h"

namespace heroq {
namespace {

constexpr int64_t kMaxReportBytes = 256 << 20;

}  // namespace

absl::StatusOr<ExitCode> RunReport(CommandLine& line, const CliContext& context) {
  if (line.directory.empty()) return MissingArgument(line, "DIR");
  const std::string path =
      JoinPath(AbsolutePath(context.working_directory, line.directory), "report/report.json");
  if (!context.files->Exists(path)) {
    return MakeError(Reason::kModelNotFound,
                     absl::StrCat(path, " does not exist; expected a checkpoint that heroq published"));
  }
  HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(*context.files, path, kMaxReportBytes));
  HEROQ_ASSIGN_OR_RETURN(const ReportSummary summary, ParseReport(text, path));
  switch (line.output_format()) {
    case OutputFormat::kTable:
      *context.out << FormatReport(summary);
      break;
    case OutputFormat::kName:
      for (const LinearSummary& linear : summary.linears) *context.out << linear.name << "\n";
      break;
    case OutputFormat::kYaml:
      *context.out << JsonToYaml(text);
      break;
    case OutputFormat::kJson:
      *context.out << text;
      break;
    case OutputFormat::kJsonLines:
      *context.out << nlohmann::ordered_json::parse(text).dump() << "\n";
      break;
  }
  return ExitCode::kOk;
}

}  // namespace heroq
