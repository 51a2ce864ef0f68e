#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace heroq {

struct LeaseOptions {
  absl::Duration heartbeat_interval = absl::Seconds(5);
  absl::Duration time_to_live = absl::Seconds(20);
  int loss_budget = 20;
  int failure_budget = 5;
  int out_of_memory_budget = 2;
  absl::Duration backoff_base = absl::Seconds(1);
  absl::Duration backoff_cap = absl::Seconds(60);
  // A worker that reports this many failures in a row gets no lease for `suspension`, unless its class has no
  // other worker. Failures that are the job's own (invalid input, numerical, unsupported) do not count.
  int suspend_after = 3;
  absl::Duration suspension = absl::Minutes(5);
  // A task on which this many worker incarnations in a row died ends its job.
  int quarantine_after = 5;
  // Bytes of statistics and hidden states captures may run ahead of quantization.
  int64_t capture_ahead_bytes = int64_t{2} << 30;
  // Told to workers in SessionWelcome; empty where they share no file system with the coordinator.
  std::string blob_directory;
};

}  // namespace heroq
