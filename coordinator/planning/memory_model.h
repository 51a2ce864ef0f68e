#pragma once

#include <cstdint>
#include <string>

#include "common/model/model_layout.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// The most one worker process holds, and the phase that does.
struct WorkerMemory {
  int64_t bytes = 0;
  std::string phase;  // calibration, quantization or evaluation
};

// What a worker holds at the height of each kind of task, added up from the shapes of the plan: everything it
// allocates, LibTorch and thread stacks included, mapped files not. Independent of the number of workers: a
// worker alone captures all shards in turn. Pure.
WorkerMemory EstimateWorkerMemory(const v1::Plan& plan, const ModelLayout& layout);

}  // namespace heroq
