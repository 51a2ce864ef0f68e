#pragma once

#include <string>

#include "CLI/App.hpp"

namespace heroq {

// Help at a fixed width of 100 columns, whatever the terminal: the reference page holds the same text.
std::string HelpOf(const CLI::App& root);
std::string HelpOfCommand(const CLI::App& command);

// "TEXT..." or "rtn|gptq": what stands for the value of an option in help; "" for flags without one.
std::string ValueName(const CLI::Option& option);

}  // namespace heroq
