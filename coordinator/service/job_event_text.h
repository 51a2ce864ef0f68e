#pragma once

#include <optional>
#include <string>

#include "heroq/v1/journal.pb.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

struct JobUpdateText {
  std::string job_id;
  // Without a sequence number.
  v1::JobEvent event;
};

// What an update says to people who watch its job; nullopt for one that concerns no job. Kinds:
// "job_created", "job_planned", "task_leased", "task_completed", "task_returned", "file_assembled",
// "phase_changed", "cancel_requested", "job_ended", "job_deleted", "blobs_lost". Pure.
std::optional<JobUpdateText> DescribeUpdate(const v1::Update& update);

}  // namespace heroq
