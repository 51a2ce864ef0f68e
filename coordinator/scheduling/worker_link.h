#pragma once

#include "heroq/v1/worker_service.pb.h"

namespace heroq {

// The way down to one connected worker. Implemented over a gRPC stream, or by a recording fake. Never blocks:
// messages are queued; after the stream broke they are dropped (its end is reported to the LeaseManager).
// Thread-safe.
class WorkerLink {
 public:
  virtual ~WorkerLink() = default;
  virtual void Send(v1::SessionResponse message) = 0;
};

}  // namespace heroq
