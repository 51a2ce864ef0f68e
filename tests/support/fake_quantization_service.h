#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "heroq/v1/quantization_service.grpc.pb.h"

namespace heroq {

// Jobs in memory that change only when a test says so: what clients are tested against. Thread-safe.
class FakeQuantizationService final : public v1::QuantizationService::Service {
 public:
  void Add(const std::string& id, v1::QuantizationJob::State state);
  // The next watch of the job gives its snapshot, event 7 "task_returned", and then its end in `state`.
  void EndWhenWatched(const std::string& id, v1::QuantizationJob::State state);
  // The next watch breaks after its first event.
  void BreakNextWatch();
  // Called when a watch has sent its snapshot.
  void OnWatch(std::function<void()> action);

  v1::QuantizationJob job(const std::string& id);
  // after_sequence of every watch so far.
  std::vector<int64_t> watched_after();

  grpc::Status CreateQuantizationJob(grpc::ServerContext* context,
                                     const v1::CreateQuantizationJobRequest* request,
                                     v1::QuantizationJob* response) override;
  grpc::Status GetQuantizationJob(grpc::ServerContext* context, const v1::GetQuantizationJobRequest* request,
                                  v1::QuantizationJob* response) override;
  // Pages of two.
  grpc::Status ListQuantizationJobs(grpc::ServerContext* context,
                                    const v1::ListQuantizationJobsRequest* request,
                                    v1::ListQuantizationJobsResponse* response) override;
  grpc::Status WatchQuantizationJob(grpc::ServerContext* context,
                                    const v1::WatchQuantizationJobRequest* request,
                                    grpc::ServerWriter<v1::WatchQuantizationJobResponse>* writer) override;
  grpc::Status CancelQuantizationJob(grpc::ServerContext* context,
                                     const v1::CancelQuantizationJobRequest* request,
                                     v1::QuantizationJob* response) override;
  grpc::Status DeleteQuantizationJob(grpc::ServerContext* context,
                                     const v1::DeleteQuantizationJobRequest* request,
                                     google::protobuf::Empty* response) override;
  grpc::Status GetServerInfo(grpc::ServerContext* context, const v1::GetServerInfoRequest* request,
                             v1::ServerInfo* response) override;
  grpc::Status ListWorkers(grpc::ServerContext* context, const v1::ListWorkersRequest* request,
                           v1::ListWorkersResponse* response) override;

 private:
  absl::Mutex mutex_;
  std::map<std::string, v1::QuantizationJob> jobs_ ABSL_GUARDED_BY(mutex_);  // by name
  std::map<std::string, v1::QuantizationJob::State> ends_ ABSL_GUARDED_BY(mutex_);
  std::vector<int64_t> watched_after_ ABSL_GUARDED_BY(mutex_);
  bool break_next_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> on_watch_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
