#include "worker/device/process_usage.h"

#include <sys/resource.h>

namespace heroq {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

ProcessUsage CurrentProcessUsage() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return {Seconds(usage.ru_utime) + Seconds(usage.ru_stime), int64_t{usage.ru_maxrss} * 1024};
}

}  // namespace heroq
