#include "tests/support/driver_harness.h"

#include <cstdlib>
#include <iostream>
#include <optional>
#include <utility>

#include "coordinator/validation/manifest.h"

namespace heroq {
namespace {

void OrDie(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  abort();
}

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  OrDie(value.status());
  return *std::move(value);
}

}  // namespace

std::map<std::string, std::string> PublishedBytes(FileSystem& files, const std::string& directory) {
  std::map<std::string, std::string> bytes;
  const absl::StatusOr<std::string> json = ReadFile(files, JoinPath(directory, kManifestName));
  if (!json.ok()) return bytes;
  bytes[kManifestName] = *json;
  const Manifest manifest = OrDie(ParseManifest(*json, kManifestName));
  for (const ManifestFile& file : manifest.files) {
    bytes[file.name] = OrDie(ReadFile(files, JoinPath(directory, file.name)));
  }
  return bytes;
}

DriverHarness::DriverHarness(FileSystem& files, const std::string& state_directory) : files_(files) {
  OrDie(files.CreateDirectories(state_directory));
  blobs_ = OrDie(DirectoryBlobStore::Open(files, JoinPath(state_directory, "blobs")));
  worker_ = std::make_unique<StandInWorker>(files, *blobs_);
  planner_ = std::make_unique<Planner>(files, *blobs_, Roots{{"local", "/"}});
  Restart();
}

void DriverHarness::Restart() {
  driver_.reset();
  store_.reset();
  store_ = OrDie(CoordinatorStore::Open(std::make_unique<MemoryJournal>(log_), clock_));
  driver_ = std::make_unique<JobDriver>(*store_, *planner_, files_, *blobs_, clock_, options);
}

void DriverHarness::Commit(v1::Update update) { OrDie(store_->CommitAndWait(std::move(update))); }

void DriverHarness::CreateJob(const std::string& job_id, const v1::JobSpec& spec) {
  v1::Update update;
  update.mutable_job_created()->set_job_id(job_id);
  *update.mutable_job_created()->mutable_spec() = spec;
  Commit(std::move(update));
}

void DriverHarness::Cancel(const std::string& job_id) {
  v1::Update update;
  update.mutable_job_cancel_requested()->set_job_id(job_id);
  Commit(std::move(update));
}

bool DriverHarness::CompleteOneTask(const std::string& job_id) {
  const std::shared_ptr<const CoordinatorState> state = store_->Snapshot();
  const std::shared_ptr<const JobRecord> job = state->FindJob(job_id);
  if (job == nullptr) return false;
  std::optional<StandInWorker::Updates> updates = OrDie(worker_->RunReadyTask(*state, *job));
  if (!updates.has_value()) return false;
  Commit(std::move(updates->leased));
  Commit(std::move(updates->completed));
  return true;
}

void DriverHarness::RunToEnd(const std::string& job_id) {
  do {
    driver_->RunUntilIdle();
  } while (CompleteOneTask(job_id));
}

}  // namespace heroq
