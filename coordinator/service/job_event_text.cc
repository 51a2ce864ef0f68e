#include "coordinator/service/job_event_text.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "coordinator/planning/method_description.h"
#include "coordinator/report/job_results.h"

namespace heroq {
namespace {

JobUpdateText Event(const std::string& job_id, const char* kind, std::string message) {
  JobUpdateText text;
  text.job_id = job_id;
  text.event.set_kind(kind);
  text.event.set_message(std::move(message));
  return text;
}

// "PHASE_VALIDATING" -> "validating".
std::string EnumText(absl::string_view name, absl::string_view prefix) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(name, prefix)), {{"_", " "}});
}

std::string DescribeReturn(const v1::TaskReturned& returned) {
  std::string text = absl::StrCat(returned.lease_id(), " ",
                                  EnumText(v1::TaskReturned::Cause_Name(returned.cause()), "CAUSE_"));
  if (returned.cause() == v1::TaskReturned::CAUSE_FAILED) {
    absl::StrAppend(&text, " (", EnumText(v1::FailureKind_Name(returned.failure_kind()), "FAILURE_KIND_"),
                    ")");
  }
  if (!returned.message().empty()) absl::StrAppend(&text, ": ", returned.message());
  return text;
}

std::string DescribeEnd(const v1::JobEnded& ended) {
  std::string text = EnumText(v1::QuantizationJob::State_Name(ended.state()), "STATE_");
  if (ended.has_failure())
    absl::StrAppend(&text, ": ", ended.failure().reason(), ": ", ended.failure().message());
  return text;
}

}  // namespace

std::optional<JobUpdateText> DescribeUpdate(const v1::Update& update) {
  switch (update.change_case()) {
    case v1::Update::kJobCreated:
      return Event(update.job_created().job_id(), "job_created", "queued");
    case v1::Update::kJobPlanned: {
      const auto& planned = update.job_planned();
      return Event(planned.job_id(), "job_planned",
                   absl::StrCat("planned ", planned.plan().units_size(), " units in ",
                                planned.plan().block_count(), " blocks"));
    }
    case v1::Update::kTaskLeased: {
      const auto& leased = update.task_leased();
      return Event(leased.job_id(), "task_leased",
                   absl::StrCat(absl::StrJoin(leased.task_ids(), " "), " to ", leased.worker_id(),
                                ", attempt ", leased.attempt()));
    }
    case v1::Update::kTaskCompleted:
      return Event(update.task_completed().job_id(), "task_completed", update.task_completed().lease_id());
    case v1::Update::kTaskReturned:
      return Event(update.task_returned().job_id(), "task_returned", DescribeReturn(update.task_returned()));
    case v1::Update::kTrialFinished: {
      const v1::TrialFinished& finished = update.trial_finished();
      return Event(finished.job_id(), "trial_finished",
                   absl::StrCat("transform ", TransformName(finished.transform()), ": KL divergence ",
                                absl::StrFormat("%.4f", MeansOf(finished.evaluation()).kl),
                                " on held-out calibration text"));
    }
    case v1::Update::kFileAssembled:
      return Event(
          update.file_assembled().job_id(), "file_assembled",
          absl::StrCat(update.file_assembled().name(), ", ", update.file_assembled().size_bytes(), " bytes"));
    case v1::Update::kJobPhaseChanged: {
      const auto& changed = update.job_phase_changed();
      return Event(changed.job_id(), "phase_changed",
                   EnumText(v1::QuantizationJob::Phase_Name(changed.phase()), "PHASE_"));
    }
    case v1::Update::kJobCancelRequested:
      return Event(update.job_cancel_requested().job_id(), "cancel_requested", "cancelling");
    case v1::Update::kJobEnded:
      return Event(update.job_ended().job_id(), "job_ended", DescribeEnd(update.job_ended()));
    case v1::Update::kJobDeleted:
      return Event(update.job_deleted().job_id(), "job_deleted", "deleted");
    case v1::Update::kJobBlocked:
      return Event(update.job_blocked().job_id(), "job_blocked",
                   update.job_blocked().reason().reason().empty()
                       ? "goes on"
                       : absl::StrCat("blocked: ", update.job_blocked().reason().message(), "; tried again"));
    case v1::Update::kBlobsLost:
      return Event(update.blobs_lost().job_id(), "blobs_lost",
                   absl::StrCat("results are gone and made again: ",
                                absl::StrJoin(update.blobs_lost().task_ids(), " ")));
    case v1::Update::kEpochStarted:
    case v1::Update::CHANGE_NOT_SET:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace heroq
