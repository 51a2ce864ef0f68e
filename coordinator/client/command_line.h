#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "coordinator/client/job_flags.h"
#include "coordinator/client/message_output.h"
#include "coordinator/client/settings.h"

namespace heroq {

// The tree of commands and what was given. One parse per object. CLI11 is the parser; help, suggestions,
// completion and defaults from outside the command line are heroq's own.
class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // `arguments` without the program's name. INVALID_SPEC says what is wrong and what was probably meant.
  absl::Status Parse(const std::vector<std::string>& arguments);
  // After Parse, before the values are read: environment and configuration file; then checks --output-format.
  absl::Status ApplySettings(const ConfiguredFlags& configured, const EnvironmentLookup& environment);

  CLI::App& root() { return root_; }
  // nullptr before Parse and when no command was given.
  CLI::App* command() { return command_; }
  // --help anywhere.
  bool help_asked() const { return help_; }
  OutputFormat output_format() const { return *ParseOutputFormat(format_); }
  // The names of all commands, in the order of help.
  std::vector<std::string> CommandNames();

  JobFlags job;
  std::optional<std::string> server;
  std::optional<std::string> config_file;
  std::optional<std::string> timeout;
  bool no_progress = false;
  bool quiet = false;
  // Embedded mode.
  std::optional<int32_t> workers;
  std::optional<std::string> device;
  bool restart = false;
  bool keep_state = false;
  // Jobs.
  std::optional<std::string> job_id;
  std::vector<std::string> jobs;
  std::vector<std::string> states;
  std::optional<int32_t> limit;
  // Directories.
  std::string directory;
  std::optional<std::string> source;
  std::string shell;
  std::vector<std::string> topic;

 private:
  CLI::App& AddCommand(const std::string& name, const std::string& description, const std::string& group);
  void AddJobCommands();
  void AddServerCommands();
  void AddLocalCommands();
  void AddServer(CLI::App& command, bool required);
  void AddFormat(CLI::App& command);
  void AddProgress(CLI::App& command);
  void AddEmbedded(CLI::App& command);
  absl::Status ExplainLeftovers();

  CLI::App root_;
  CLI::App* command_ = nullptr;
  bool help_ = false;
  std::string format_ = "table";
};

}  // namespace heroq
