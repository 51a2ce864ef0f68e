#pragma once

#include <string>

#include "common/metrics/metric_registry.h"
#include "coordinator/state/job_record.h"

namespace heroq {

// Every metric of the coordinator apart from heroq_rpc_duration_seconds, which common/rpc records:
// heroq_build_info {version}, heroq_jobs{state}, heroq_tasks{kind, state} of jobs that have not ended,
// heroq_workers. Thread-safe.
class CoordinatorMetrics {
 public:
  // `registry` outlives this.
  CoordinatorMetrics(MetricRegistry& registry, const std::string& version);

  // Sets the gauges to what `state` says now.
  void Update(const CoordinatorState& state, int workers);

 private:
  MetricRegistry& registry_;
};

}  // namespace heroq
