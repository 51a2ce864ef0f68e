#pragma once

#include <string>

namespace heroq {

// docs/reference/errors.md as the table of reasons says it.
std::string ErrorsPage();

}  // namespace heroq
