#pragma once

#include <string>

namespace heroq {

// A name part that no other call in this or another process gives ("<16 hex digits>-<count>"), for files that
// are renamed or removed: it never reaches published bytes. Thread-safe.
std::string TemporaryName();

}  // namespace heroq
