#include "coordinator/client/command_line.h"

#include <algorithm>

// All of CLI11: the tables of its virtual functions are needed in one place.
#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "coordinator/client/suggestion.h"

namespace heroq {
namespace {

constexpr char kJobs[] = "Quantize";
constexpr char kServer[] = "Jobs on a server";
constexpr char kCheckpoints[] = "Models and checkpoints";
constexpr char kOther[] = "Other";

std::vector<std::string> FlagsOf(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
  }
  return flags;
}

}  // namespace

CommandLine::CommandLine() : root_("Quantizes large language models after training.", "heroq") {
  root_.set_help_flag();
  root_.add_flag("-h,--help", help_, "Show help");
  root_.allow_extras();
  // Otherwise a model called "plan" would be a second command.
  root_.require_subcommand(0, 1);
  AddJobCommands();
  AddServerCommands();
  AddLocalCommands();
}

CLI::App& CommandLine::AddCommand(const std::string& name, const std::string& description,
                                  const std::string& group) {
  CLI::App& command = *root_.add_subcommand(name, description);
  command.group(group);
  command.set_help_flag();
  command.allow_extras();
  command.add_flag("-h,--help", help_, "Show this help");
  return command;
}

void CommandLine::AddServer(CLI::App& command, bool required) {
  command
      .add_option(
          "--server", server,
          required
              ? "Address of the coordinator: HOST:PORT or unix:PATH"
              : "Use this coordinator (HOST:PORT or unix:PATH) instead of child processes; paths are then "
                "ROOT:PATH")
      ->type_name("ADDR");
  command.add_option("--config", config_file, "Configuration file; default ~/.config/heroq/config.yaml")
      ->type_name("FILE");
}

void CommandLine::AddFormat(CLI::App& command) {
  command.add_option("-o,--output-format", format_, "Form of the data on standard output; default table")
      ->type_name("table|json|jsonl|yaml|name");
}

void CommandLine::AddProgress(CLI::App& command) {
  command.add_option("--timeout", timeout, "Give up after this long (90s, 10m, 1h30m), exit 6")
      ->type_name("DURATION");
  command.add_flag("--no-progress", no_progress, "No bars: one plain line per event");
  command.add_flag("-q,--quiet", quiet, "Nothing on standard error but errors");
}

void CommandLine::AddEmbedded(CLI::App& command) {
  command.add_option("--workers", workers, "Worker processes; default: cores / threads of a task")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->group("Local processes");
  command.add_option("--device", device, "Where workers compute; default cpu")
      ->type_name("cpu|cuda:N")
      ->group("Local processes");
}

void CommandLine::AddJobCommands() {
  CLI::App& quantize = AddCommand("quantize", "Quantize a model and publish the checkpoint", kJobs);
  AddJobFlags(quantize, JobFlagSet::kQuantize, job);
  AddEmbedded(quantize);
  quantize.add_flag("--restart", restart, "Discard an unfinished run of this output directory")
      ->group("Local processes");
  quantize.add_flag("--keep-state", keep_state, "Keep DIR.heroq/ (state, blobs, logs) after the end")
      ->group("Local processes");
  AddServer(quantize, false);
  AddFormat(quantize);
  AddProgress(quantize);
  quantize.footer(
      "Example:\n  heroq quantize models/SmolLM2-135M --output smollm2-w4 --calibration text.txt "
      "--evaluation held.txt\n\n"
      "Interrupted or killed, the same command resumes. After success it finds the result and exits 0.");

  CLI::App& plan = AddCommand("plan", "Show what a job would do and cost, without doing it", kJobs);
  AddJobFlags(plan, JobFlagSet::kQuantize, job);
  AddServer(plan, false);
  AddFormat(plan);

  CLI::App& evaluate = AddCommand("eval", "Measure a checkpoint against its original model", kJobs);
  evaluate.add_option("CHECKPOINT", directory, "Checkpoint directory");
  evaluate.add_option("--reference", job.model, "Original model directory")->type_name("MODEL");
  AddJobFlags(evaluate, JobFlagSet::kEvaluate, job);
  AddEmbedded(evaluate);
  AddServer(evaluate, false);
  AddFormat(evaluate);
  AddProgress(evaluate);
}

void CommandLine::AddServerCommands() {
  CLI::App& submit = AddCommand("submit", "Submit a job to a server and return", kServer);
  AddJobFlags(submit, JobFlagSet::kQuantize, job);
  submit.add_option("--id", job_id, "Id of the job; default: the server chooses")->type_name("ID");
  AddServer(submit, true);
  AddFormat(submit);

  CLI::App& list = AddCommand("list", "List jobs, newest first", kServer);
  list.add_option("--state", states, "Only jobs in this state; repeatable")
      ->type_name("queued|running|cancelling|succeeded|failed|cancelled")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"queued", "running", "cancelling", "succeeded", "failed", "cancelled"}));
  list.add_option("--limit", limit, "At most this many jobs; default all")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20));
  AddServer(list, true);
  AddFormat(list);

  struct OfJob {
    const char* name;
    const char* description;
    bool progress;
  };
  for (const OfJob& entry :
       {OfJob{"get", "Show jobs", false}, OfJob{"watch", "Follow a job until it ends", true},
        OfJob{"wait", "Wait for jobs to end; the exit code tells how", true},
        OfJob{"cancel", "Cancel jobs", false},
        OfJob{"delete", "Forget jobs that have ended; checkpoints stay", false}}) {
    CLI::App& command = AddCommand(entry.name, entry.description, kServer);
    command.add_option("JOB", jobs, "Job id");
    AddServer(command, true);
    AddFormat(command);
    if (entry.progress) AddProgress(command);
  }

  CLI::App& list_workers = AddCommand("workers", "List the workers of a server", kServer);
  AddServer(list_workers, true);
  AddFormat(list_workers);
}

void CommandLine::AddLocalCommands() {
  CLI::App& inspect = AddCommand("inspect", "Describe a model or checkpoint directory", kCheckpoints);
  inspect.add_option("DIR", directory, "Model or checkpoint directory");
  AddFormat(inspect);

  CLI::App& verify = AddCommand(
      "verify", "Check a checkpoint directory; exit 1 on findings, 8 if unsupported", kCheckpoints);
  verify.add_option("DIR", directory, "Checkpoint directory");
  verify.add_option("--source", source, "Original model, for the checks that compare with it")
      ->type_name("MODEL");
  AddServer(verify, false);
  AddFormat(verify);

  CLI::App& report = AddCommand("report", "Summarize the report of a checkpoint directory", kCheckpoints);
  report.add_option("DIR", directory, "Checkpoint directory");
  AddFormat(report);

  CLI::App& serve =
      AddCommand("serve", "Start a coordinator: heroq-coordinator with the given flags", kOther);
  serve.prefix_command();
  CLI::App& worker = AddCommand("worker", "Start a worker: heroq-worker with the given flags", kOther);
  worker.prefix_command();

  CLI::App& version = AddCommand("version", "Show versions, methods, formats and model families", kOther);
  AddServer(version, false);
  AddFormat(version);

  CLI::App& completion = AddCommand("completion", "Print a shell completion script", kOther);
  completion.add_option("SHELL", shell, "bash, zsh or fish")
      ->type_name("bash|zsh|fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));

  CLI::App& help = AddCommand("help", "Show help of a command", kOther);
  help.add_option("COMMAND", topic, "Command");
}

std::vector<std::string> CommandLine::CommandNames() {
  std::vector<std::string> names;
  for (const CLI::App* command : root_.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

absl::Status CommandLine::ExplainLeftovers() {
  if (command_ == nullptr) {
    for (const std::string& text : root_.remaining()) {
      const bool flag = absl::StartsWith(text, "-");
      return MakeError(Reason::kInvalidSpec,
                       absl::StrCat("'", text, "' is not a ", flag ? "flag" : "command", " of heroq.",
                                    DidYouMean(text, flag ? FlagsOf(root_) : CommandNames())));
    }
    return absl::OkStatus();
  }
  for (const std::string& text : root_.remaining(true)) {
    if (absl::StartsWith(text, "-")) {
      const std::string name = text.substr(0, text.find('='));
      return MakeError(Reason::kInvalidSpec,
                       absl::StrCat("'", name, "' is not a flag of heroq ", command_->get_name(), ".",
                                    DidYouMean(name, FlagsOf(*command_))));
    }
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("heroq ", command_->get_name(), " does not expect '", text, "'"));
  }
  return absl::OkStatus();
}

absl::Status CommandLine::Parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  std::string problem;
  try {
    root_.parse(reversed);
  } catch (const CLI::Error& error) {
    problem = error.what();
  }
  const std::vector<CLI::App*> parsed = root_.get_subcommands();
  if (!parsed.empty()) command_ = parsed.front();
  if (help_) return absl::OkStatus();
  // An unknown flag is the cause of most other complaints, so it is named first.
  if (absl::Status status = ExplainLeftovers(); !status.ok()) return status;
  if (!problem.empty()) return MakeError(Reason::kInvalidSpec, problem);
  return absl::OkStatus();
}

absl::Status CommandLine::ApplySettings(const ConfiguredFlags& configured,
                                        const EnvironmentLookup& environment) {
  if (absl::Status status = heroq::ApplySettings(*command_, configured, environment); !status.ok())
    return status;
  if (ParseOutputFormat(format_).has_value()) return absl::OkStatus();
  return MakeError(Reason::kInvalidSpec, absl::StrCat("--output-format is '", format_,
                                                      "'; expected table, json, jsonl, yaml or name"));
}

}  // namespace heroq
