#include "common/file/process_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>

// jemalloc's, in programs that are linked with it.
extern "C" int mallctl(const char* name, void* old_value, size_t* old_length, void* new_value,
                       size_t new_length) __attribute__((weak));

namespace heroq {
namespace {

// 4096 stands for all arenas (MALLCTL_ARENAS_ALL).
constexpr char kPurge[] = "arena.4096.purge";
constexpr char kFreedPages[] = "stats.arenas.4096.pdirty";
// Writing to it brings the statistics up to date.
constexpr char kEpoch[] = "epoch";

// Of jemalloc.
int64_t FreedBytes() {
  uint64_t epoch = 1;
  size_t pages = 0, length = sizeof pages;
  mallctl(kEpoch, nullptr, nullptr, &epoch, sizeof epoch);
  if (mallctl(kFreedPages, &pages, &length, nullptr, 0) != 0) return 0;
  return static_cast<int64_t>(pages) * sysconf(_SC_PAGESIZE);
}

}  // namespace

int64_t ResidentBytes() {
  // "size resident shared ..." in pages.
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  if (!(statm >> size >> resident)) return 0;
  return resident * sysconf(_SC_PAGESIZE);
}

void ReturnFreedMemory(int64_t kept_bytes) {
  if (mallctl != nullptr) {
    if (FreedBytes() > kept_bytes) mallctl(kPurge, nullptr, nullptr, nullptr, 0);
  } else if (static_cast<int64_t>(mallinfo2().fordblks) > kept_bytes) {
    malloc_trim(0);
  }
}

}  // namespace heroq
