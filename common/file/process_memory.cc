#include "common/file/process_memory.h"

#include <unistd.h>

#include <fstream>

namespace heroq {

int64_t ResidentBytes() {
  // "size resident shared ..." in pages.
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  if (!(statm >> size >> resident)) return 0;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace heroq
