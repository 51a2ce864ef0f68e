#pragma once

#include "common/file/file_system.h"
#include "common/time/clock.h"
#include "worker/agent/output_stores.h"
#include "worker/agent/result_reporter.h"
#include "worker/agent/running_lease.h"
#include "worker/agent/task_executor.h"

namespace heroq {

// Takes one lease from its task to its end at the coordinator: completed, failed with a kind, given back when
// it was stopped, dropped when its token is over. References outlive the call. Blocking; one call at a time
// per executor.
void RunLease(RunningLease& lease, TaskExecutor& executor, OutputStores& stores, ResultReporter& reporter,
              FileSystem& files, Clock& clock);

}  // namespace heroq
