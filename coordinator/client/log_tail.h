#pragma once

#include <string>
#include <vector>

#include "common/file/file_system.h"

namespace heroq {

// The last lines of a text file that hold anything, oldest first; none when it cannot be read. Blocking.
std::vector<std::string> LastLines(FileSystem& files, const std::string& path, int count);

}  // namespace heroq
