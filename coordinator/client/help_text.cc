#include "coordinator/client/help_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace heroq {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kTextColumn = 34;

// `left` in its column, `right` wrapped beside it.
std::string Row(const std::string& left, const std::string& right) {
  std::string text = "  " + left;
  std::size_t column = text.size();
  const std::string indent(kTextColumn, ' ');
  if (column + 2 > kTextColumn) {
    text += "\n" + indent;
  } else {
    text += std::string(kTextColumn - column, ' ');
  }
  column = kTextColumn;
  bool first = true;
  for (absl::string_view word : absl::StrSplit(right, ' ')) {
    if (!first && column + 1 + word.size() > kWidth) {
      text += "\n" + indent;
      column = kTextColumn;
      first = true;
    }
    absl::StrAppend(&text, first ? "" : " ", word);
    column += word.size() + (first ? 0 : 1);
    first = false;
  }
  return text + "\n";
}

std::string OptionName(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  std::string text;
  for (const std::string& name : names) absl::StrAppend(&text, text.empty() ? "" : ", ", name);
  const std::string value = ValueName(option);
  return value.empty() ? text : absl::StrCat(text, " ", value);
}

std::vector<const CLI::Option*> Positionals(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::string Usage(const CLI::App& command) {
  std::string text = absl::StrCat("Usage: heroq ", command.get_name());
  for (const CLI::Option* positional : Positionals(command)) {
    absl::StrAppend(&text, " ", positional->get_single_name(),
                    positional->get_expected_max() > 1 ? "..." : "");
  }
  if (command.get_prefix_command()) return text + " [FLAGS OF THE PROGRAM]\n";
  return text + " [FLAGS]\n";
}

}  // namespace

std::string ValueName(const CLI::Option& option) {
  if (option.get_type_size_max() == 0) return "";
  // CLI11 appends the descriptions of validators after a colon.
  const std::string name = option.get_type_name();
  const std::size_t colon = name.find(":{");
  const std::size_t range = name.find(":INT in");
  return name.substr(0, std::min(colon, range));
}

std::string HelpOf(const CLI::App& root) {
  std::string text = absl::StrCat(root.get_description(), "\n\nUsage: heroq COMMAND [ARGUMENTS] [FLAGS]\n");
  std::vector<std::string> groups;
  for (const CLI::App* command : root.get_subcommands([](const CLI::App*) { return true; })) {
    if (std::find(groups.begin(), groups.end(), command->get_group()) == groups.end()) {
      groups.push_back(command->get_group());
    }
  }
  for (const std::string& group : groups) {
    absl::StrAppend(&text, "\n", group, ":\n");
    for (const CLI::App* command :
         root.get_subcommands([&](const CLI::App* app) { return app->get_group() == group; })) {
      text += Row(command->get_name(), command->get_description());
    }
  }
  return text +
         "\nheroq help COMMAND shows the flags of a command. Flags may also be set in the environment\n"
         "(HEROQ_GROUP_SIZE=64 for --group-size 64) or in ~/.config/heroq/config.yaml.\n\n"
         "Exit codes: 0 success, 1 error, 2 wrong usage, 3 job failed, 4 not allowed, 5 server unavailable,\n"
         "6 timeout, 7 quality gate failed, 130 interrupted.\n";
}

std::string HelpOfCommand(const CLI::App& command) {
  std::string text = absl::StrCat(command.get_description(), "\n\n", Usage(command));
  const std::vector<const CLI::Option*> positionals = Positionals(command);
  if (!positionals.empty()) {
    text += "\nArguments:\n";
    for (const CLI::Option* positional : positionals) {
      text += Row(positional->get_single_name(), positional->get_description());
    }
  }
  std::vector<std::string> groups;
  for (const CLI::Option* option : command.get_options()) {
    const std::string& group = option->get_group();
    // "Options" is CLI11's default; what is common to many commands comes last.
    if (!option->get_positional() && group != "Options" &&
        std::find(groups.begin(), groups.end(), group) == groups.end()) {
      groups.push_back(group);
    }
  }
  groups.push_back("Options");
  for (const std::string& group : groups) {
    absl::StrAppend(&text, "\n", group == "Options" ? "Flags" : group, ":\n");
    for (const CLI::Option* option : command.get_options()) {
      if (!option->get_positional() && option->get_group() == group) {
        text += Row(OptionName(*option), option->get_description());
      }
    }
  }
  if (!command.get_footer().empty()) absl::StrAppend(&text, "\n", command.get_footer(), "\n");
  return text;
}

}  // namespace heroq
