#include "coordinator/coordinator_server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/directory_blob_store.h"
#include "common/concurrency/thread_pool.h"
#include "common/file/failpoint.h"
#include "common/log/log.h"
#include "common/metrics/metric_registry.h"
#include "common/rpc/address.h"
#include "common/rpc/rpc_metrics.h"
#include "common/rpc/server_arguments.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/time/periodic_task.h"
#include "coordinator/assembly/job_driver.h"
#include "coordinator/coordinator_metrics.h"
#include "coordinator/service/blob_service.h"
#include "coordinator/service/job_api.h"
#include "coordinator/service/job_events.h"
#include "coordinator/service/open_streams.h"
#include "coordinator/service/quantization_service.h"
#include "coordinator/service/worker_service.h"
#include "coordinator/state/sqlite_journal.h"
#include "coordinator/web/admin_server.h"

namespace heroq {
namespace {

constexpr int kRequestThreads = 4;
constexpr int kInspectionThreads = 2;
constexpr int kBlobThreads = 4;
constexpr absl::Duration kTickInterval = absl::Seconds(1);
// How long unary calls may take to end once the server stops; then they are cancelled and their clients try
// again. Shutdown also waits this long for idle connections, whose clients answer the goodbye only when they
// next make a call.
constexpr int kShutdownMilliseconds = 200;

absl::StatusOr<std::vector<Address>> ParseListen(const std::vector<std::string>& texts) {
  if (texts.empty()) return MakeError(Reason::kInvalidSpec, "a coordinator needs an address to listen on");
  std::vector<Address> addresses;
  for (const std::string& text : texts) {
    HEROQ_ASSIGN_OR_RETURN(Address address, ParseAddress(text));
    if (!address.IsLocal()) {
      return MakeError(Reason::kUnsupported,
                       absl::StrCat("cannot listen on ", text,
                                    ": without TLS only Unix sockets and loopback addresses are allowed"),
                       {{"address", text}});
    }
    addresses.push_back(std::move(address));
  }
  return addresses;
}

LeaseOptions LeaseOptionsOf(const CoordinatorOptions& options) {
  LeaseOptions leases = options.leases;
  leases.blob_directory = options.share_blob_directory ? options.blob_directory : "";
  return leases;
}

}  // namespace

// Members in the order of their dependencies: destroyed from the last to the first.
class CoordinatorServer::Impl {
 public:
  Impl(CoordinatorOptions options, FileSystem& files, Clock& clock, std::unique_ptr<DirectoryBlobStore> blobs,
       std::unique_ptr<CoordinatorStore> store)
      : options_(std::move(options)),
        files_(files),
        clock_(clock),
        blobs_(std::move(blobs)),
        store_(std::move(store)),
        // Before anything commits: it counts updates.
        events_(*store_),
        planner_(files_, *blobs_, options_.roots),
        leases_(*store_, clock_, LeaseOptionsOf(options_)),
        driver_(*store_, planner_, files_, *blobs_, clock_, {options_.version, options_.keep_state}),
        api_(*store_, leases_, planner_, files_, clock_, options_.version),
        requests_(kRequestThreads),
        inspections_(kInspectionThreads),
        blob_work_(kBlobThreads),
        blob_context_{files_, *blobs_, blob_work_,
                      [this](const v1::LeaseToken& token) { return leases_.CheckToken(token); }, clock_},
        quantization_service_(api_, leases_, events_, streams_, requests_, inspections_),
        worker_service_(*store_, leases_, *blobs_, streams_, requests_),
        blob_service_(blob_context_) {}

  ~Impl() { Stop(); }

  absl::Status Start(const std::vector<Address>& addresses) {
    driver_.Start();
    HEROQ_FAILPOINT(boot_before_listen);
    HEROQ_RETURN_IF_ERROR(Listen(addresses));
    HEROQ_FAILPOINT(boot_after_listen);
    tick_ = std::make_unique<PeriodicTask>(kTickInterval, [this] {
      leases_.Tick();
      blob_context_.Tick();
      events_.RefreshAll();
    });
    if (!options_.admin_listen.empty()) {
      HEROQ_ASSIGN_OR_RETURN(const Address admin, ParseAddress(options_.admin_listen));
      HEROQ_ASSIGN_OR_RETURN(admin_, AdminServer::Start(admin, {[this] { return RenderMetrics(); },
                                                                [this] { return serving_.load(); }}));
    }
    SetServing(true);
    for (const std::string& address : addresses_) {
      Log(LogLevel::kInfo, "coordinator serves", {{"address", address}, {"epoch", store_->epoch()}});
    }
    return absl::OkStatus();
  }

  void Stop() {
    if (server_ == nullptr) return;
    SetServing(false);
    // Shutdown waits for calls that would otherwise never end.
    streams_.CloseAll(MakeError(Reason::kUnavailable, "the coordinator is shutting down"));
    server_->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                   gpr_time_from_millis(kShutdownMilliseconds, GPR_TIMESPAN)));
    tick_.reset();
    admin_.reset();
    server_.reset();
    Log(LogLevel::kInfo, "coordinator stopped", {{"epoch", store_->epoch()}});
  }

  const std::vector<std::string>& addresses() const { return addresses_; }
  int admin_port() const { return admin_ == nullptr ? 0 : admin_->port(); }
  CoordinatorStore& store() { return *store_; }
  LeaseManager& leases() { return leases_; }

 private:
  absl::Status Listen(const std::vector<Address>& addresses) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    ApplyServerArguments(builder);
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
    interceptors.push_back(NewRpcMetrics(*registry_, clock_));
    builder.experimental().SetInterceptorCreators(std::move(interceptors));
    std::vector<int> ports(addresses.size(), 0);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      builder.AddListeningPort(addresses[i].ToString(), grpc::InsecureServerCredentials(), &ports[i]);
    }
    builder.RegisterService(&quantization_service_);
    builder.RegisterService(&worker_service_);
    builder.RegisterService(&blob_service_);
    server_ = builder.BuildAndStart();
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      Address bound = addresses[i];
      if (server_ == nullptr || ports[i] == 0) {
        return MakeError(Reason::kUnavailable, absl::StrCat("cannot listen on ", bound.ToString()));
      }
      if (bound.is_unix) {
        // Whoever may connect may read and write models as this user.
        ::chmod(bound.path.c_str(), 0600);
      } else {
        bound.port = ports[i];
      }
      addresses_.push_back(bound.ToString());
    }
    return absl::OkStatus();
  }

  void SetServing(bool serving) {
    serving_ = serving;
    server_->GetHealthCheckService()->SetServingStatus(serving);
  }

  std::string RenderMetrics() {
    metrics_.Update(*store_->Snapshot(), static_cast<int>(leases_.Workers().size()));
    return registry_->Render();
  }

  const CoordinatorOptions options_;
  FileSystem& files_;
  Clock& clock_;
  const std::unique_ptr<MetricRegistry> registry_ = NewPrometheusRegistry();
  CoordinatorMetrics metrics_{*registry_, options_.version};
  const std::unique_ptr<DirectoryBlobStore> blobs_;
  const std::unique_ptr<CoordinatorStore> store_;
  JobEvents events_;
  Planner planner_;
  LeaseManager leases_;
  JobDriver driver_;
  JobApi api_;
  OpenStreams streams_;
  ThreadPool requests_;
  ThreadPool inspections_;
  ThreadPool blob_work_;
  BlobServiceContext blob_context_;
  QuantizationService quantization_service_;
  WorkerService worker_service_;
  BlobService blob_service_;
  std::atomic<bool> serving_{false};
  std::vector<std::string> addresses_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<PeriodicTask> tick_;
  std::unique_ptr<AdminServer> admin_;
};

CoordinatorServer::CoordinatorServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

CoordinatorServer::~CoordinatorServer() = default;

absl::StatusOr<std::unique_ptr<CoordinatorServer>> CoordinatorServer::Start(CoordinatorOptions options,
                                                                            FileSystem& files, Clock& clock) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<Address> addresses, ParseListen(options.listen));
  HEROQ_FAILPOINT(boot_before_journal);
  // The journal first: its lock keeps a second coordinator off the blobs too.
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<SqliteJournal> journal,
                         SqliteJournal::Open(files, options.state_directory));
  HEROQ_FAILPOINT(boot_after_journal);
  HEROQ_ASSIGN_OR_RETURN(auto blobs, DirectoryBlobStore::Open(files, options.blob_directory));
  HEROQ_FAILPOINT(boot_after_blobs);
  HEROQ_ASSIGN_OR_RETURN(auto store, CoordinatorStore::Open(std::move(journal), clock));
  auto impl = std::make_unique<Impl>(std::move(options), files, clock, std::move(blobs), std::move(store));
  HEROQ_RETURN_IF_ERROR(impl->Start(addresses));
  return std::unique_ptr<CoordinatorServer>(new CoordinatorServer(std::move(impl)));
}

void CoordinatorServer::Stop() { impl_->Stop(); }
const std::vector<std::string>& CoordinatorServer::addresses() const { return impl_->addresses(); }
int CoordinatorServer::admin_port() const { return impl_->admin_port(); }
CoordinatorStore& CoordinatorServer::store() { return impl_->store(); }
LeaseManager& CoordinatorServer::leases() { return impl_->leases(); }

}  // namespace heroq
