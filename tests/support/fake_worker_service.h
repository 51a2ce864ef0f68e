#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "heroq/v1/worker_service.grpc.pb.h"

namespace heroq {

// A coordinator as workers see it, driven by the test: it records what workers say and sends what the test
// tells it to. Thread-safe.
class FakeWorkerService final : public v1::WorkerService::Service {
 public:
  grpc::Status Session(grpc::ServerContext* context,
                       grpc::ServerReaderWriter<v1::SessionResponse, v1::SessionRequest>* stream) override;
  grpc::Status CompleteTask(grpc::ServerContext* context, const v1::CompleteTaskRequest* request,
                            v1::CompleteTaskResponse* response) override;
  grpc::Status FailTask(grpc::ServerContext* context, const v1::FailTaskRequest* request,
                        v1::FailTaskResponse* response) override;
  grpc::Status ReleaseTask(grpc::ServerContext* context, const v1::ReleaseTaskRequest* request,
                           v1::ReleaseTaskResponse* response) override;

  // To the open session.
  void SendLease(const std::string& lease_id);
  void SendCancel(const std::string& lease_id);
  void SendDrain();
  void BreakSession();

  // Set before a session opens.
  absl::Duration heartbeat_interval = absl::Milliseconds(20);
  absl::Duration time_to_live = absl::Seconds(20);
  bool answer_heartbeats = true;
  // How every session ends at once, unless OK.
  grpc::Status session_refusal;
  // What the next calls of CompleteTask return, then OK.
  std::vector<grpc::Status> complete_outcomes;
  // Called before CompleteTask answers.
  std::function<void(const std::string& lease_id)> on_complete;

  // Blocks until `condition` over the records below holds; false after 30 s.
  bool WaitFor(const std::function<bool()>& condition);
  absl::Mutex mutex;
  std::vector<v1::WorkerHello> hellos;
  std::vector<v1::WorkerHeartbeat> heartbeats;
  int drain_notices = 0;
  std::vector<v1::CompleteTaskRequest> completed;
  std::vector<v1::FailTaskRequest> failed;
  std::vector<std::string> released;

 private:
  void Send(const v1::SessionResponse& message);

  grpc::ServerContext* context_ = nullptr;
  grpc::ServerReaderWriter<v1::SessionResponse, v1::SessionRequest>* stream_ = nullptr;
  absl::Mutex write_mutex_;
};

}  // namespace heroq
