#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/coordinator_life.h"
#include "tests/support/driver_harness.h"
#include "tests/support/power_cut_file_system.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace heroq {

// One small job, the disk it starts on, and what it publishes there.
class PowerCutJob : public testing::Test {
 protected:
  static constexpr char kJob[] = "job";
  // Nothing on the way to it exists before.
  static constexpr char kOutput[] = "/results/models/w4";

  static v1::JobSpec Spec() {
    v1::JobSpec spec;
    *spec.mutable_model()->mutable_location() = LocalPath("/model");
    *spec.mutable_output()->mutable_location() = LocalPath(kOutput);
    spec.mutable_output()->set_max_shard_bytes(16000);
    spec.mutable_method()->mutable_gptq();
    spec.mutable_calibration()->set_samples(2);
    spec.mutable_calibration()->set_shards(2);
    spec.mutable_calibration()->set_sequence_length(16);
    *spec.mutable_calibration()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
    *spec.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
    spec.mutable_evaluation()->set_sequences(1);
    spec.mutable_evaluation()->set_sequence_length(16);
    return spec;
  }

  PowerCutJob() {
    PowerCutFileSystem files(FreshDisk());
    files.SetHook([this](absl::string_view operation, const std::string&) {
      operations_ += Counts(operation);
      return absl::OkStatus();
    });
    const absl::StatusOr<std::unique_ptr<CoordinatorLife>> life = CoordinatorLife::Start(files, state());
    EXPECT_TRUE(life.ok()) << life.status();
    EXPECT_EQ(Finish(**life), "");
    expected_ = PublishedBytes(files, kOutput);
    EXPECT_GT(expected_.size(), 8u);
  }

  // The inputs, durable.
  static std::unique_ptr<PowerCutDisk> FreshDisk() {
    PowerCutFileSystem files(std::make_unique<PowerCutDisk>());
    TinyModel model;
    model.blocks = 1;
    WriteTinyModel(files, "/model", model);
    WriteTokens(files, "/tokens", 2, 16, 100);
    files.disk().SyncAll();
    return files.disk().AfterPowerCut(0);
  }

  // Creates the job, as its client does when it comes back, and runs it to its end; says what went wrong.
  static std::string Finish(CoordinatorLife& life) {
    if (const absl::Status ensured = life.EnsureJob(kJob, Spec()); !ensured.ok()) return ensured.ToString();
    if (const absl::Status ran = life.RunToEnd(kJob); !ran.ok()) return ran.ToString();
    const std::shared_ptr<const JobRecord> job = life.Job(kJob);
    if (job->state == v1::QuantizationJob::STATE_SUCCEEDED) return "";
    return v1::QuantizationJob::State_Name(job->state) + ": " + job->failure.message() +
           job->blocked.message();
  }

  const std::string& state() const { return state_.path(); }
  const std::map<std::string, std::string>& expected() const { return expected_; }
  // Operations to disturb: the folders of the blob store are too many, and all alike.
  static bool Counts(absl::string_view operation) { return operation != "mkdir"; }
  // How many of them an undisturbed run has.
  int operations() const { return operations_; }

 private:
  const TemporaryDirectory state_;
  std::map<std::string, std::string> expected_;
  int operations_ = 0;
};

}  // namespace heroq
