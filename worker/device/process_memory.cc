#include "worker/device/process_memory.h"

#include <pthread.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

// What Intel's OpenMP gives its threads by default, whose kernels LibTorch runs.
constexpr size_t kStackBytes = size_t{4} << 20;

}  // namespace

void LimitStacks() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
}

absl::Status LimitAllocations(int64_t bytes) {
  const rlimit limit{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
  if (setrlimit(RLIMIT_DATA, &limit) == 0) return absl::OkStatus();
  return MakeError(Reason::kInternal,
                   absl::StrCat("limiting memory to ", bytes, " bytes: ", std::strerror(errno)));
}

}  // namespace heroq
