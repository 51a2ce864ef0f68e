#include "coordinator/scheduling/worker_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {

absl::Status WorkerRegistry::CheckHello(const v1::WorkerHello& hello) {
  const auto refuse = [&](absl::string_view what) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("hello of worker \"", hello.worker_id(), "\" has no ", what));
  };
  if (hello.worker_id().empty()) return refuse("worker_id");
  if (hello.incarnation().empty()) return refuse("incarnation");
  if (hello.numeric_class().empty()) return refuse("numeric_class");
  if (hello.slots() < 1) return refuse("slots");
  return absl::OkStatus();
}

ConnectedWorker& WorkerRegistry::Add(const v1::WorkerHello& hello, std::shared_ptr<WorkerLink> link,
                                     absl::Duration now) {
  ConnectedWorker& worker = workers_[++last_session_];
  worker.session = last_session_;
  worker.hello = hello;
  worker.link = std::move(link);
  worker.last_heard = now;
  return worker;
}

ConnectedWorker* WorkerRegistry::Find(int64_t session) {
  const auto found = workers_.find(session);
  return found == workers_.end() ? nullptr : &found->second;
}

ConnectedWorker* WorkerRegistry::FindByWorkerId(const std::string& worker_id) {
  for (auto& [session, worker] : workers_) {
    if (worker.hello.worker_id() == worker_id) return &worker;
  }
  return nullptr;
}

}  // namespace heroq
