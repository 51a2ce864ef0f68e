#include "coordinator/client/completion.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "coordinator/client/help_text.h"

namespace heroq {
namespace {

std::vector<const CLI::App*> CommandsOf(const CLI::App& root) {
  return root.get_subcommands([](const CLI::App*) { return true; });
}

// The values of "rtn|gptq"; parts in capitals stand for something else.
std::vector<std::string> FixedValues(const CLI::Option& option) {
  const std::string name = ValueName(option);
  std::vector<std::string> values;
  if (name.find('|') == std::string::npos) return values;
  for (absl::string_view part : absl::StrSplit(name, '|')) {
    if (part == absl::AsciiStrToLower(part)) values.emplace_back(part);
  }
  return values;
}

std::vector<std::string> NamesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

// Values of a command's own argument: `heroq completion <TAB>`, `heroq help <TAB>`.
std::vector<std::string> ArgumentValues(const CLI::App& root, const CLI::App& command) {
  std::vector<std::string> values;
  if (command.get_name() == "help") {
    for (const CLI::App* other : CommandsOf(root)) values.push_back(other->get_name());
    return values;
  }
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) values = FixedValues(*option);
  }
  return values;
}

std::string Bash(const CLI::App& root) {
  std::vector<std::string> commands;
  std::string flags, values;
  for (const CLI::App* command : CommandsOf(root)) {
    commands.push_back(command->get_name());
    std::vector<std::string> names;
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_positional()) continue;
      for (const std::string& name : NamesOf(*option)) {
        names.push_back(name);
        const std::vector<std::string> fixed = FixedValues(*option);
        if (!fixed.empty()) {
          absl::StrAppend(&values, "    ", command->get_name(), ":", name, ") words='",
                          absl::StrJoin(fixed, " "), "' ;;\n");
        }
      }
    }
    const std::vector<std::string> arguments = ArgumentValues(root, *command);
    absl::StrAppend(&flags, "    ", command->get_name(), ") flags='", absl::StrJoin(names, " "),
                    "'; arguments='", absl::StrJoin(arguments, " "), "' ;;\n");
  }
  return absl::StrCat(
      "# bash completion of heroq: source <(heroq completion bash)\n", "_heroq() {\n",
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n",
      "  local command=\"${COMP_WORDS[1]}\" words='' flags='' arguments=''\n",
      "  if (( COMP_CWORD == 1 )); then\n", "    COMPREPLY=($(compgen -W '", absl::StrJoin(commands, " "),
      "' -- \"$current\"))\n", "    return\n", "  fi\n", "  case \"$command:$previous\" in\n", values,
      "  esac\n", "  case \"$command\" in\n", flags, "  esac\n",
      "  if [[ -z $words && $current == -* ]]; then words=$flags; fi\n",
      "  if [[ -z $words ]]; then words=$arguments; fi\n", "  if [[ -n $words ]]; then\n",
      "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n", "  else\n",
      "    COMPREPLY=($(compgen -f -- \"$current\"))\n", "  fi\n", "}\n",
      "complete -o filenames -F _heroq heroq\n");
}

std::string ZshQuoted(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"'", "'\\''"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

std::string Zsh(const CLI::App& root) {
  std::string commands, cases;
  for (const CLI::App* command : CommandsOf(root)) {
    absl::StrAppend(&commands, "    '", command->get_name(), ":", ZshQuoted(command->get_description()),
                    "'\n");
    absl::StrAppend(&cases, "    ", command->get_name(), ")\n      _arguments \\\n");
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_positional()) continue;
      const std::vector<std::string> fixed = FixedValues(*option);
      const bool takes_value = !ValueName(*option).empty();
      for (const std::string& name : NamesOf(*option)) {
        absl::StrAppend(&cases, "        '*", name, "[", ZshQuoted(option->get_description()), "]",
                        !takes_value    ? ""
                        : fixed.empty() ? ":value:_files"
                                        : absl::StrCat(":value:(", absl::StrJoin(fixed, " "), ")"),
                        "' \\\n");
      }
    }
    const std::vector<std::string> arguments = ArgumentValues(root, *command);
    absl::StrAppend(&cases, "        '*:argument:",
                    arguments.empty() ? "_files" : absl::StrCat("(", absl::StrJoin(arguments, " "), ")"),
                    "'\n      ;;\n");
  }
  return absl::StrCat("#compdef heroq\n# zsh completion of heroq: source <(heroq completion zsh)\n",
                      "_heroq() {\n", "  local -a commands=(\n", commands, "  )\n",
                      "  if (( CURRENT == 2 )); then\n", "    _describe 'command' commands\n", "    return\n",
                      "  fi\n", "  local command=\"$words[2]\"\n", "  shift words\n", "  (( CURRENT-- ))\n",
                      "  case \"$command\" in\n", cases, "  esac\n", "}\n", "compdef _heroq heroq\n");
}

std::string FishQuoted(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}});
}

std::string Fish(const CLI::App& root) {
  std::string text = "# fish completion of heroq: heroq completion fish | source\n";
  for (const CLI::App* command : CommandsOf(root)) {
    const std::string& name = command->get_name();
    absl::StrAppend(&text, "complete -c heroq -n __fish_use_subcommand -f -a ", name, " -d '",
                    FishQuoted(command->get_description()), "'\n");
    const std::string condition =
        absl::StrCat("complete -c heroq -n '__fish_seen_subcommand_from ", name, "'");
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_positional()) continue;
      absl::StrAppend(&text, condition);
      for (const std::string& flag : option->get_snames()) absl::StrAppend(&text, " -s ", flag);
      for (const std::string& flag : option->get_lnames()) absl::StrAppend(&text, " -l ", flag);
      const std::vector<std::string> fixed = FixedValues(*option);
      if (!fixed.empty()) {
        absl::StrAppend(&text, " -x -a '", absl::StrJoin(fixed, " "), "'");
      } else if (!ValueName(*option).empty()) {
        absl::StrAppend(&text, " -r");
      }
      absl::StrAppend(&text, " -d '", FishQuoted(option->get_description()), "'\n");
    }
    const std::vector<std::string> arguments = ArgumentValues(root, *command);
    if (!arguments.empty())
      absl::StrAppend(&text, condition, " -f -a '", absl::StrJoin(arguments, " "), "'\n");
  }
  return text;
}

}  // namespace

std::string CompletionScript(absl::string_view shell, const CLI::App& root) {
  if (shell == "bash") return Bash(root);
  if (shell == "zsh") return Zsh(root);
  if (shell == "fish") return Fish(root);
  return "";
}

}  // namespace heroq
