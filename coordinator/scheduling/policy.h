#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/state/job_record.h"

namespace heroq {

// A worker that may get leases: connected, heard from lately, not draining.
struct WorkerSlots {
  int64_t session = 0;
  std::string worker_id;
  std::string numeric_class;
  int slots = 0;
  int free = 0;
  // Failed too often lately: used only while its class has no other worker.
  bool suspended = false;
  // Leases it takes while no slot is free.
  int ahead = 0;
};

struct LeaseGrant {
  std::string job_id;
  std::vector<int> tasks;  // indices into the job's graph; several only for consecutive shards of one block
  int64_t session = 0;
};

struct PolicyInput {
  const CoordinatorState& state;
  std::vector<WorkerSlots> workers;
  absl::Time now;
  // Tasks whose lease is being committed, by job, and the class of a job whose first lease is among them.
  std::map<std::string, std::set<int>> leasing;
  std::map<std::string, std::string> pinning;
};

struct PolicyOptions {
  int64_t capture_ahead_bytes = 0;
  // A `not_before` further ahead than 1.2 x this was set by a clock that has jumped; it is ignored.
  absl::Duration backoff_cap;
};

// Which ready tasks go to which free slots now. Pure.
// - Jobs by priority, then in the order of their creation; a job uses workers of its numeric class only.
// - Captures of the lowest block that is not captured come first while quantization is at most two blocks
//   behind them: the chain of captures decides how long a job takes, and units that wait fill the slots it
//   leaves free. Else quantize before advance before capture before evaluate, lower blocks first: quantizing
//   frees statistics.
// - Captures and advances are leased in runs of consecutive ready shards of one block, sized so that the free
// slots share
//   the ready shards and the class's slots the block, preferring shards whose hidden states the worker made.
//   A task that was charged before is leased alone, so that a bad one does not take others with it. The first
//   block is cut into two runs or more, of two shards or more, so that workers that connect one after another
//   share it.
// - A worker without a free slot gets leases ahead, which wait for one: captures of hidden states it made
//   itself, and units to quantize that were never charged while at least as many are left as the class has
//   slots, so that nobody idles at the end for what waits in another's queue.
// - Captures of blocks above the lowest unfinished one stop at `capture_ahead_bytes`.
std::vector<LeaseGrant> PlanLeases(const PolicyInput& input, const PolicyOptions& options);

// The class that may run the job's tasks: pinned, else the one with most slots (ties: the smallest name);
// empty when there is no worker. Pure.
std::string ClassOf(const JobRecord& job, const PolicyInput& input);

// Whether the task may be leased at `now`: ready, and its wait after a failure is over. Pure.
bool IsDue(const JobRecord& job, int task, absl::Time now, const PolicyOptions& options);

}  // namespace heroq
