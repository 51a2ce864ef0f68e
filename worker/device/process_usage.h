#pragma once

#include <cstdint>

namespace heroq {

// What this process has used since it started, as the kernel counts it.
struct ProcessUsage {
  double cpu_seconds = 0;  // user and system, all threads
  int64_t peak_rss_bytes = 0;
};

ProcessUsage CurrentProcessUsage();

}  // namespace heroq
