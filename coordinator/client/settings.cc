#include "coordinator/client/settings.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/suggestion.h"

namespace heroq {
namespace {

std::vector<std::string> FlagsOf(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (IsConfigurable(name)) flags.push_back(name);
    }
  }
  return flags;
}

class SettingsReader {
 public:
  SettingsReader(absl::string_view file, CLI::App& root) : file_(file) {
    for (const CLI::App* command : root.get_subcommands({})) {
      commands_.push_back(command->get_name());
      flags_[command->get_name()] = FlagsOf(*command);
      for (const std::string& flag : flags_[command->get_name()]) flags_[""].push_back(flag);
    }
  }

  absl::StatusOr<ConfiguredFlags> Read(const YAML::Node& root) {
    ConfiguredFlags result;
    if (root.IsNull()) return result;
    if (!root.IsMap()) return Error(root, "expected `flag: value` lines");
    for (const auto& entry : root) {
      const std::string name = entry.first.Scalar();
      if (entry.second.IsMap()) {
        if (flags_.count(name) == 0) {
          return Error(entry.first,
                       absl::StrCat("'", name, "' is not a command.", DidYouMean(name, commands_)));
        }
        for (const auto& flag : entry.second)
          HEROQ_RETURN_IF_ERROR(ReadFlag(flag.first, flag.second, name, result));
      } else {
        HEROQ_RETURN_IF_ERROR(ReadFlag(entry.first, entry.second, "", result));
      }
    }
    return result;
  }

 private:
  absl::Status Error(const YAML::Node& node, absl::string_view problem) const {
    return MakeError(Reason::kInvalidSpec, absl::StrCat(file_, ":", node.Mark().line + 1, ": ", problem));
  }

  absl::Status ReadFlag(const YAML::Node& key, const YAML::Node& value, const std::string& command,
                        ConfiguredFlags& result) {
    const std::string& flag = key.Scalar();
    const std::vector<std::string>& known = flags_[command];
    if (std::find(known.begin(), known.end(), flag) == known.end()) {
      const std::string owner = command.empty() ? "any command" : absl::StrCat("heroq ", command);
      return Error(key, absl::StrCat("'", flag, "' is not a flag of ", owner, " that a file may set.",
                                     DidYouMean(flag, known)));
    }
    std::vector<std::string>& values = result[command][flag];
    if (!values.empty()) return Error(key, absl::StrCat("'", flag, "' is given twice"));
    if (value.IsScalar()) {
      values.push_back(value.Scalar());
    } else if (value.IsSequence() && value.size() > 0) {
      for (const YAML::Node& element : value) values.push_back(element.Scalar());
    } else {
      return Error(key, absl::StrCat("'", flag, "' expects a value or a list of values"));
    }
    return absl::OkStatus();
  }

  const std::string file_;
  std::vector<std::string> commands_;
  std::map<std::string, std::vector<std::string>> flags_;
};

absl::Status SetOption(CLI::Option& option, const std::vector<std::string>& values,
                       const std::string& origin) {
  try {
    option.add_result(values);
    option.run_callback();
  } catch (const CLI::Error& error) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat(origin, ": ", error.what()));
  }
  return absl::OkStatus();
}

}  // namespace

bool IsConfigurable(absl::string_view flag) {
  for (absl::string_view fixed :
       {"help", "config", "output", "spec", "restart", "id", "source", "reference"}) {
    if (flag == fixed) return false;
  }
  return true;
}

std::string EnvironmentName(absl::string_view flag) {
  return absl::StrCat("HEROQ_", absl::AsciiStrToUpper(absl::StrReplaceAll(flag, {{"-", "_"}})));
}

absl::StatusOr<ConfiguredFlags> ParseSettings(absl::string_view text, absl::string_view file_name,
                                              CLI::App& root) {
  try {
    return SettingsReader(file_name, root).Read(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat(file_name, ":", error.mark.line + 1, ": ", error.msg));
  }
}

absl::Status ApplySettings(CLI::App& command, const ConfiguredFlags& configured,
                           const EnvironmentLookup& environment) {
  for (CLI::Option* option : command.get_options()) {
    if (option->count() > 0 || option->get_lnames().empty() || !IsConfigurable(option->get_lnames().front()))
      continue;
    const std::string& flag = option->get_lnames().front();
    if (const auto value = environment(EnvironmentName(flag)); value.has_value()) {
      HEROQ_RETURN_IF_ERROR(SetOption(*option, {*value}, EnvironmentName(flag)));
      continue;
    }
    for (const std::string& section : {command.get_name(), std::string()}) {
      const auto found = configured.find(section);
      if (found == configured.end()) continue;
      const auto values = found->second.find(flag);
      if (values == found->second.end()) continue;
      HEROQ_RETURN_IF_ERROR(SetOption(*option, values->second, absl::StrCat("configuration file, ", flag)));
      break;
    }
  }
  return absl::OkStatus();
}

}  // namespace heroq
