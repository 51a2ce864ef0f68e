#include "coordinator/client/embedded_job.h"

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/job_text.h"
#include "coordinator/client/job_watcher.h"

namespace heroq {
namespace {

// The coordinator is a child of this process: when it does not answer, it is gone.
constexpr absl::Duration kPatience = absl::Seconds(30);

bool IsDevice(absl::string_view text) {
  int index = 0;
  return text == "cpu" ||
         (absl::ConsumePrefix(&text, "cuda:") && absl::SimpleAtoi(text, &index) && index >= 0);
}

// Sets `gone_directory` to a directory that was published and is no more.
absl::Status EnsureJob(QuantizationClient& client, const v1::CreateQuantizationJobRequest& request,
                       FileSystem& files, std::string& gone_directory) {
  const std::string name = JobName(request.quantization_job_id());
  const absl::StatusOr<v1::QuantizationJob> job = client.Get(name);
  if (absl::IsNotFound(job.status())) return client.Create(request).status();
  HEROQ_RETURN_IF_ERROR(job.status());
  const std::string& published = job->result().directory();
  const bool gone = !published.empty() && !files.Exists(published);
  if (gone) gone_directory = published;
  if (!gone && job->state() != v1::QuantizationJob::STATE_FAILED &&
      job->state() != v1::QuantizationJob::STATE_CANCELLED) {
    return absl::OkStatus();
  }
  HEROQ_RETURN_IF_ERROR(client.Delete(name));
  return client.Create(request).status();
}

// EnsureJob beside the event loop: whoever interrupts does not wait for a coordinator that reads long texts
// or hangs.
absl::Status SubmitJob(EmbeddedCluster& cluster, const v1::CreateQuantizationJobRequest& request,
                       FileSystem& files, UiEventQueue& events, ProgressRenderer& progress) {
  absl::Status ensured;
  std::string gone_directory;
  std::thread caller([&] {
    ensured = EnsureJob(cluster.client(), request, files, gone_directory);
    events.Push(CallEndedEvent());
  });
  absl::Status given_up;
  while (given_up.ok()) {
    const std::optional<UiEvent> event = events.Pop(kPatience);
    if (!event.has_value()) continue;
    if (std::holds_alternative<CallEndedEvent>(*event)) break;
    if (std::holds_alternative<InterruptEvent>(*event)) given_up = absl::CancelledError("interrupted");
    if (std::holds_alternative<ChildExitEvent>(*event)) given_up = cluster.ReapChildren();
  }
  // Without a coordinator the call ends too.
  if (!given_up.ok()) cluster.Stop();
  caller.join();
  HEROQ_RETURN_IF_ERROR(given_up);
  if (!gone_directory.empty()) {
    progress.Note(absl::StrCat(gone_directory, " is gone since it was published; it is made again"));
  }
  return ensured;
}

}  // namespace

absl::StatusOr<EmbeddedOptions> EmbeddedOptionsOf(const CommandLine& line, const v1::JobSpec& spec,
                                                  int hardware_threads) {
  EmbeddedOptions options;
  options.device = line.device.value_or("cpu");
  if (!IsDevice(options.device)) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("--device is '", options.device, "'; expected cpu or cuda:N"));
  }
  const int threads = std::max(spec.calibration().threads_per_task(), 1);
  options.workers = line.workers.value_or(std::max(hardware_threads / threads, 1));
  options.worker_memory_bytes = spec.worker_memory_bytes();
  options.keep_state = line.keep_state;
  return options;
}

absl::StatusOr<FollowResult> RunEmbeddedJob(const CliContext& context, const EmbeddedOptions& options,
                                            const v1::CreateQuantizationJobRequest& request,
                                            std::optional<absl::Duration> deadline, UiEventQueue& events,
                                            ProgressRenderer& progress,
                                            const std::function<absl::Status()>& on_accepted) {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedCluster> cluster,
                         EmbeddedCluster::Start(context, options, events, progress));
  HEROQ_RETURN_IF_ERROR(SubmitJob(*cluster, request, *context.files, events, progress));
  HEROQ_RETURN_IF_ERROR(on_accepted());
  FollowResult result;
  {
    JobWatcher watcher(cluster->client(), JobName(request.quantization_job_id()), kPatience, *context.clock,
                       events);
    FollowHooks hooks;
    hooks.on_child_exit = [&] { return cluster->ReapChildren(); };
    // Whoever started this can make room; a server's job is tried again until it passes.
    hooks.ends_when_blocked = true;
    result = FollowJob(events, progress, *context.clock, deadline, hooks);
  }
  if (result.end == FollowEnd::kInterrupted) progress.Note("stopping; what is done is kept");
  cluster->Disconnect();
  cluster->Stop();
  return result;
}

}  // namespace heroq
