#include "coordinator/client/heroq_cli.h"

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/command_line.h"
#include "coordinator/client/commands.h"
#include "coordinator/client/completion.h"
#include "coordinator/client/error_text.h"
#include "coordinator/client/help_text.h"
#include "coordinator/client/location_argument.h"
#include "coordinator/client/suggestion.h"

namespace heroq {
namespace {

using Command = absl::StatusOr<ExitCode> (*)(CommandLine&, const CliContext&);

constexpr int64_t kMaxConfigBytes = 1 << 20;

absl::StatusOr<ExitCode> RunHelp(CommandLine& line, const CliContext& context) {
  if (line.topic.empty()) {
    *context.out << HelpOf(line.root());
    return ExitCode::kOk;
  }
  for (const CLI::App* command : line.root().get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() != line.topic.front()) continue;
    *context.out << HelpOfCommand(*command);
    return ExitCode::kOk;
  }
  return MakeError(Reason::kInvalidSpec, absl::StrCat("'", line.topic.front(), "' is not a command of heroq.",
                                                      DidYouMean(line.topic.front(), line.CommandNames())));
}

absl::StatusOr<ExitCode> RunCompletion(CommandLine& line, const CliContext& context) {
  if (line.shell.empty())
    return MakeError(Reason::kInvalidSpec, "heroq completion expects bash, zsh or fish");
  *context.out << CompletionScript(line.shell, line.root());
  return ExitCode::kOk;
}

struct CommandEntry {
  const char* name;
  Command run;
};

constexpr CommandEntry kCommands[] = {
    {"quantize", RunQuantize}, {"plan", RunPlan},     {"eval", RunEval},       {"submit", RunSubmit},
    {"list", RunList},         {"get", RunGet},       {"watch", RunWatch},     {"wait", RunWait},
    {"cancel", RunCancel},     {"delete", RunDelete}, {"workers", RunWorkers}, {"inspect", RunInspect},
    {"verify", RunVerify},     {"report", RunReport}, {"version", RunVersion}, {"completion", RunCompletion},
    {"help", RunHelp},
};

std::optional<std::string> ConfigPath(const CommandLine& line, const CliContext& context) {
  if (line.config_file.has_value()) return AbsolutePath(context.working_directory, *line.config_file);
  std::string folder = context.environment("XDG_CONFIG_HOME").value_or("");
  if (folder.empty()) {
    const std::string home = context.environment("HOME").value_or("");
    if (home.empty()) return std::nullopt;
    folder = JoinPath(home, ".config");
  }
  std::string path = JoinPath(folder, "heroq/config.yaml");
  if (!context.files->Exists(path)) return std::nullopt;
  return path;
}

absl::StatusOr<ExitCode> Run(const std::vector<std::string>& arguments, const CliContext& context) {
  CommandLine line;
  HEROQ_RETURN_IF_ERROR(line.Parse(arguments));
  if (line.help_asked()) {
    *context.out << (line.command() == nullptr ? HelpOf(line.root()) : HelpOfCommand(*line.command()));
    return ExitCode::kOk;
  }
  if (line.command() == nullptr) {
    *context.error << HelpOf(line.root());
    return ExitCode::kUsage;
  }
  ConfiguredFlags configured;
  if (const std::optional<std::string> path = ConfigPath(line, context); path.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(*context.files, *path, kMaxConfigBytes));
    HEROQ_ASSIGN_OR_RETURN(configured, ParseSettings(text, *path, line.root()));
  }
  HEROQ_RETURN_IF_ERROR(line.ApplySettings(configured, context.environment));
  for (const CommandEntry& entry : kCommands) {
    if (line.command()->get_name() == entry.name) return entry.run(line, context);
  }
  return MakeError(Reason::kInternal,
                   absl::StrCat("command ", line.command()->get_name(), " has no function"));
}

}  // namespace

ExitCode RunHeroq(const std::vector<std::string>& arguments, const CliContext& context) {
  const absl::StatusOr<ExitCode> code = Run(arguments, context);
  context.out->flush();
  if (!context.out->good()) {
    // Whoever reads what was cut must not take it for everything.
    *context.error << "heroq: error: standard output could not be written to its end\n" << std::flush;
    if (code.ok()) return *code == ExitCode::kOk ? ExitCode::kError : *code;
  }
  if (code.ok()) return *code;
  const ExitCode failure = ExitCodeOf(code.status());
  if (failure == ExitCode::kInterrupted) {
    *context.error << "heroq: interrupted\n" << std::flush;
  } else {
    *context.error << FormatError(code.status()) << std::flush;
  }
  return failure;
}

std::string ProgramOfCommand(const std::string& command) {
  if (command == "serve") return "heroq-coordinator";
  if (command == "worker") return "heroq-worker";
  return "";
}

}  // namespace heroq
