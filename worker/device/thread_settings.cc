#include "worker/device/thread_settings.h"

#include <ATen/Parallel.h>

namespace heroq {

void SetTaskThreads(int threads) {
  if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

OneThreadScope::OneThreadScope() : threads_(at::get_num_threads()) { SetTaskThreads(1); }

OneThreadScope::~OneThreadScope() { SetTaskThreads(threads_); }

}  // namespace heroq
