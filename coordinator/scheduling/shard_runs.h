#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/scheduling/policy.h"
#include "coordinator/state/job_record.h"

namespace heroq {

// The capture and advance tasks of one job that are due, handed out as runs of consecutive shards (policy.h
// says how runs are sized and chosen). A step of the policy: pure, thread-compatible; `job` and `producers`
// outlive it.
class ShardRuns {
 public:
  ShardRuns(const JobRecord& job, const std::vector<int>& due, const std::set<int>& leasing,
            int64_t capture_ahead_bytes);

  // Whether the next run is of captures that come before quantization (policy.h).
  bool CapturesAreAwaited() const;
  // The next run for a free slot of `worker`, one of `workers` (the usable ones of the job's class); empty
  // when nothing is left or captures may not run further ahead.
  std::vector<int> Take(const WorkerSlots& worker, const std::vector<WorkerSlots*>& workers);
  // The same, if it starts with hidden states that `worker` made.
  std::vector<int> TakeOwn(const WorkerSlots& worker, const std::vector<WorkerSlots*>& workers);

 private:
  using Shards = std::map<int, int>;  // shard -> task

  // The run of the next block that starts at shard `first`, which is due.
  std::vector<int> TakeFrom(int first, const std::vector<WorkerSlots*>& workers);
  int RunLength(int block, const std::vector<WorkerSlots*>& workers) const;
  // Where `worker` starts: a shard it made the hidden states of, else one no other worker with a free slot
  // made, else the first.
  int FirstShard(const Shards& shards, const WorkerSlots& worker,
                 const std::vector<WorkerSlots*>& workers) const;
  // The worker that made the hidden states the task reads; empty for block 0.
  std::string ProducerOf(int task) const;
  bool Charged(int task) const { return job_.tasks[task].charged(); }

  const JobRecord& job_;
  const int64_t capture_ahead_bytes_;
  const int open_block_;        // the lowest one with units to quantize
  const int uncaptured_block_;  // the lowest one with captures to do
  int64_t captured_bytes_;
  // Advances before captures, lower blocks first.
  std::map<std::pair<bool, int>, Shards> blocks_;  // (is capture, block)
};

}  // namespace heroq
