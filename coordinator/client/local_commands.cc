// inspect, report, version: what needs no server.
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/status_macros.h"
#include "coordinator/client/command_support.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/directory_description.h"
#include "coordinator/client/yaml_text.h"
#include "coordinator/planning/method_description.h"
#include "coordinator/planning/planner.h"

namespace heroq {
namespace {

constexpr absl::Duration kAnswerTimeout = absl::Seconds(10);

// JSON that is no message, in the forms of --output-format other than table and name.
void PrintJson(const std::string& json, OutputFormat format, std::ostream& out) {
  if (format == OutputFormat::kYaml) {
    out << JsonToYaml(json);
  } else if (format == OutputFormat::kJson) {
    out << nlohmann::ordered_json::parse(json).dump(2) << "\n";
  } else {
    out << json << "\n";
  }
}

}  // namespace

absl::StatusOr<ExitCode> RunInspect(CommandLine& line, const CliContext& context) {
  if (line.directory.empty()) return MissingArgument(line, "DIR");
  HEROQ_ASSIGN_OR_RETURN(
      const DirectoryDescription description,
      DescribeDirectory(*context.files, AbsolutePath(context.working_directory, line.directory)));
  switch (line.output_format()) {
    case OutputFormat::kTable:
      *context.out << FormatDescription(description);
      break;
    case OutputFormat::kName:
      *context.out << description.directory << "\n";
      break;
    default:
      PrintJson(DescriptionJson(description), line.output_format(), *context.out);
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunVersion(CommandLine& line, const CliContext& context) {
  v1::ServerInfo info;
  if (line.server.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<QuantizationClient> client, ClientOf(line, context));
    HEROQ_ASSIGN_OR_RETURN(info, client->Info(kAnswerTimeout));
  } else {
    info.set_version(context.version);
    for (const std::string& method : KnownMethods()) info.add_methods(method);
    for (const std::string& format : KnownFormats()) info.add_formats(format);
    for (const std::string& family : KnownFamilies()) info.add_families(family);
  }
  switch (line.output_format()) {
    case OutputFormat::kTable:
      *context.out << "heroq " << info.version() << "\n";
      *context.out << "methods   " << absl::StrJoin(info.methods(), ", ") << "\n";
      *context.out << "formats   " << absl::StrJoin(info.formats(), ", ") << "\n";
      *context.out << "families  " << absl::StrJoin(info.families(), ", ") << "\n";
      if (info.roots_size() > 0) *context.out << "roots     " << absl::StrJoin(info.roots(), ", ") << "\n";
      break;
    case OutputFormat::kName:
      *context.out << info.version() << "\n";
      break;
    default:
      *context.out << FormatMessage(info, line.output_format());
  }
  return ExitCode::kOk;
}

}  // namespace heroq
