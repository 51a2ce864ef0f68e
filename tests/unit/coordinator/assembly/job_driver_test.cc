#include "coordinator/assembly/job_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <limits>
#include <map>

#include "absl/strings/match.h"
#include "common/blob/digest_proto.h"
#include "common/file/io_error.h"
#include "coordinator/assembly/staging.h"
#include "coordinator/validation/checkpoint_validator.h"
#include "tests/support/driver_harness.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Job = v1::QuantizationJob;

constexpr char kModel[] = "/models/tiny";
constexpr char kOutput[] = "/out/tiny-w4";

v1::JobSpec Spec() {
  v1::JobSpec spec;
  *spec.mutable_model()->mutable_location() = LocalPath(kModel);
  *spec.mutable_output()->mutable_location() = LocalPath(kOutput);
  spec.mutable_output()->set_max_shard_bytes(16000);
  spec.mutable_method()->mutable_gptq();
  spec.mutable_calibration()->set_samples(4);
  spec.mutable_calibration()->set_shards(2);
  spec.mutable_calibration()->set_sequence_length(16);
  *spec.mutable_calibration()->mutable_source()->mutable_tokens_file() = LocalPath("/texts/tokens");
  *spec.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/texts/tokens");
  spec.mutable_evaluation()->set_sequences(2);
  spec.mutable_evaluation()->set_sequence_length(16);
  return spec;
}

void WriteInputs(FileSystem& files) {
  WriteTinyModel(files, kModel);
  WriteTokens(files, "/texts/tokens", 4, 16, 100);
}

std::vector<std::string> Names(FileSystem& files, const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = files.List(directory);
  return names.ok() ? *names : std::vector<std::string>();
}

class JobDriverTest : public testing::Test {
 protected:
  JobDriverTest() : harness_((WriteInputs(files_), files_), "/state") {}

  std::map<std::string, std::string> RunJob(const std::string& job_id, const v1::JobSpec& spec) {
    harness_.CreateJob(job_id, spec);
    harness_.RunToEnd(job_id);
    return PublishedBytes(files_, spec.output().location().path());
  }
  std::string FailureOf(const std::string& job_id) {
    const std::shared_ptr<const JobRecord> job = harness_.Job(job_id);
    return job->state == Job::STATE_FAILED ? job->failure.reason() + ": " + job->failure.message()
                                           : "did not fail";
  }

  MemoryFileSystem files_;
  DriverHarness harness_;
};

TEST_F(JobDriverTest, PublishesADirectoryThatValidates) {
  const auto bytes = RunJob("job", Spec());
  ASSERT_EQ(harness_.Job("job")->state, Job::STATE_SUCCEEDED) << FailureOf("job");
  EXPECT_GT(bytes.size(), 8u);
  EXPECT_TRUE(bytes.count("model.safetensors.index.json"));
  EXPECT_TRUE(bytes.count("report/report.json"));
  EXPECT_EQ(bytes.at("LICENSE"), *ReadFile(files_, "/models/tiny/LICENSE"));
  const absl::StatusOr<v1::ValidateCheckpointResponse> found = ValidateCheckpoint(files_, kOutput, kModel);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_GT(found->checks(), 100);
  EXPECT_THAT(found->findings(), IsEmpty()) << found->DebugString();
  const v1::JobResult& result = harness_.Job("job")->result;
  EXPECT_EQ(result.directory(), kOutput);
  EXPECT_EQ(result.evaluation().token_count(), 200);
  EXPECT_GT(result.mean_relative_error(), 0);
}

TEST_F(JobDriverTest, LeavesNothingBehind) {
  RunJob("job", Spec());
  EXPECT_THAT(Names(files_, "/out"), testing::ElementsAre("tiny-w4"));
  EXPECT_THAT(*harness_.blobs().ListBlobs(), IsEmpty());
}

TEST_F(JobDriverTest, KeptStateKeepsBlobs) {
  harness_.options.keep_state = true;
  harness_.Restart();
  RunJob("job", Spec());
  EXPECT_FALSE(harness_.blobs().ListBlobs()->empty());
}

TEST_F(JobDriverTest, EqualJobsPublishEqualBytesWhereverAndWheneverTheyRun) {
  const auto first = RunJob("job", Spec());
  harness_.clock().Advance(absl::Hours(30));
  WriteTinyModel(files_, "/elsewhere/copy");
  v1::JobSpec spec = Spec();
  spec.mutable_model()->mutable_location()->set_path("/elsewhere/copy");
  spec.mutable_output()->mutable_location()->set_path("/deep/er/out");
  (*spec.mutable_labels())["owner"] = "somebody";
  EXPECT_EQ(RunJob("another", spec), first);
}

TEST_F(JobDriverTest, WritesUnitsWhileOtherTasksStillRun) {
  harness_.CreateJob("job", Spec());
  harness_.driver().RunUntilIdle();
  while (harness_.Job("job")->files.empty()) {
    ASSERT_TRUE(harness_.CompleteOneTask("job"));
    harness_.driver().RunUntilIdle();
  }
  EXPECT_FALSE(harness_.Job("job")->AllDone(TaskKind::kQuantize));
}

TEST_F(JobDriverTest, DropsStatisticsAndHiddenStatesAfterTheirLastReader) {
  harness_.CreateJob("job", Spec());
  harness_.driver().RunUntilIdle();
  const auto present = [&](const std::string& task, const std::string& output) {
    const std::shared_ptr<const JobRecord> job = harness_.Job("job");
    const v1::TaskResult& result = *job->tasks[*job->graph->Find(task)].result;
    for (const v1::NamedBlob& blob : result.outputs()) {
      if (blob.name() == output) return *harness_.blobs().Contains(DigestFromProto(blob.digest()));
    }
    return *harness_.blobs().Contains(DigestFromProto(result.statistics(0).blob()));
  };
  const auto done = [&](const std::string& task) {
    const std::shared_ptr<const JobRecord> job = harness_.Job("job");
    return job->tasks[*job->graph->Find(task)].state == TaskState::kDone;
  };
  while (!done("capture/0/1")) ASSERT_TRUE(harness_.CompleteOneTask("job"));
  harness_.driver().RunUntilIdle();
  EXPECT_TRUE(present("capture/0/0", "hidden/0"));
  EXPECT_TRUE(present("capture/0/0", "statistics"));
  while (!done("quantize/0/mlp") || !done("capture/1/1")) ASSERT_TRUE(harness_.CompleteOneTask("job"));
  harness_.driver().RunUntilIdle();
  EXPECT_FALSE(present("capture/0/0", "hidden/0"));
  EXPECT_FALSE(present("capture/0/0", "statistics"));
  EXPECT_TRUE(present("capture/1/0", "statistics"));

  // A task that runs again stores them again.
  v1::Update lost;
  lost.mutable_blobs_lost()->set_job_id("job");
  for (const char* task : {"capture/0/0", "capture/1/0"}) lost.mutable_blobs_lost()->add_task_ids(task);
  ASSERT_TRUE(harness_.store().CommitAndWait(std::move(lost)).ok());
  harness_.driver().RunUntilIdle();
  while (!done("capture/0/0")) ASSERT_TRUE(harness_.CompleteOneTask("job"));
  EXPECT_TRUE(present("capture/0/0", "statistics"));
  harness_.driver().RunUntilIdle();
  EXPECT_FALSE(present("capture/0/0", "statistics"));
}

TEST_F(JobDriverTest, LostResultsAreMadeAgain) {
  const auto expected = RunJob("job", Spec());
  v1::JobSpec spec = Spec();
  spec.mutable_output()->mutable_location()->set_path("/out/again");
  harness_.CreateJob("again", spec);
  harness_.driver().RunUntilIdle();
  // Everything up to the first unit, then a power cut takes every blob but the tokens.
  const auto unit_done = [&] {
    const std::shared_ptr<const JobRecord> job = harness_.Job("again");
    return job->tasks[*job->graph->Find("quantize/0/attention")].state == TaskState::kDone;
  };
  while (!unit_done()) ASSERT_TRUE(harness_.CompleteOneTask("again"));
  const v1::Plan& plan = *harness_.Job("again")->plan;
  const std::vector<Digest> blobs = *harness_.blobs().ListBlobs();
  for (const Digest& digest : blobs) {
    if (digest.sha256 != plan.calibration_tokens().sha256() &&
        digest.sha256 != plan.evaluation_tokens().sha256()) {
      ASSERT_TRUE(harness_.blobs().Remove(digest).ok());
    }
  }
  harness_.Restart();
  harness_.RunToEnd("again");
  EXPECT_EQ(PublishedBytes(files_, "/out/again"), expected) << FailureOf("again");
}

TEST_F(JobDriverTest, ExistingOutputsAreRefusedAtPlanningAndAtPublication) {
  ASSERT_TRUE(files_.CreateDirectories(kOutput).ok());
  harness_.CreateJob("early", Spec());
  harness_.RunToEnd("early");
  EXPECT_THAT(FailureOf("early"), HasSubstr("OUTPUT_EXISTS"));
  ASSERT_TRUE(files_.RemoveTree(kOutput).ok());

  harness_.CreateJob("late", Spec());
  harness_.driver().RunUntilIdle();
  ASSERT_TRUE(files_.CreateDirectories(kOutput).ok());
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/tiny-w4/precious", "do not touch").ok());
  harness_.RunToEnd("late");
  EXPECT_THAT(FailureOf("late"), HasSubstr("OUTPUT_EXISTS"));
  EXPECT_THAT(Names(files_, kOutput), testing::ElementsAre("precious"));
  EXPECT_THAT(Names(files_, "/out"), testing::ElementsAre("tiny-w4"));
}

TEST_F(JobDriverTest, ChangedSourcesFailTheJob) {
  harness_.CreateJob("job", Spec());
  harness_.driver().RunUntilIdle();
  ASSERT_TRUE(harness_.CompleteOneTask("job"));
  ASSERT_TRUE(WriteFileAtomically(files_, "/models/tiny/LICENSE", "Other terms.  \n").ok());
  harness_.RunToEnd("job");
  EXPECT_THAT(FailureOf("job"), HasSubstr("SOURCE_CHANGED"));
  EXPECT_THAT(Names(files_, "/out"), IsEmpty());
}

TEST_F(JobDriverTest, AJobBlockedByItsDiskGoesOnOnceItsStepsPassLongBeforeAFileIsDone) {
  files_.SetFault([](absl::string_view operation, const std::string& path) {
    return operation == "write" && absl::StartsWith(path, "/out/") ? IoError(ENOSPC, operation, path)
                                                                   : absl::OkStatus();
  });
  harness_.CreateJob("job", Spec());
  harness_.driver().RunUntilIdle();
  while (harness_.Job("job")->blocked.reason().empty()) {
    ASSERT_TRUE(harness_.CompleteOneTask("job"));
    harness_.driver().RunUntilIdle();
  }
  EXPECT_EQ(harness_.Job("job")->blocked.reason(), "IO_ERROR");
  EXPECT_THAT(harness_.Job("job")->blocked.message(), HasSubstr("No space left on device"));
  harness_.driver().RunUntilIdle();
  EXPECT_EQ(harness_.Job("job")->blocked.reason(), "IO_ERROR") << "steps before the failing one succeed";
  EXPECT_EQ(harness_.Job("job")->state, Job::STATE_RUNNING);
  files_.SetFault(nullptr);
  harness_.driver().RunUntilIdle();
  EXPECT_EQ(harness_.Job("job")->blocked.reason(), "");
  EXPECT_THAT(harness_.Job("job")->files, IsEmpty());
  harness_.RunToEnd("job");
  EXPECT_EQ(harness_.Job("job")->state, Job::STATE_SUCCEEDED);
}

TEST_F(JobDriverTest, TheQualityGateKeepsBadModelsFromBeingPublished) {
  v1::JobSpec spec = Spec();
  spec.mutable_quality_gate()->set_max_kl(0.04);
  harness_.CreateJob("kl", spec);
  harness_.RunToEnd("kl");
  EXPECT_THAT(FailureOf("kl"), HasSubstr("QUALITY_GATE_FAILED: KL divergence is 0.05"));
  spec.mutable_quality_gate()->set_max_kl(0);
  // exp(0.1) = 1.105
  spec.mutable_quality_gate()->set_max_perplexity_ratio(1.1);
  harness_.CreateJob("perplexity", spec);
  harness_.RunToEnd("perplexity");
  EXPECT_THAT(FailureOf("perplexity"), HasSubstr("QUALITY_GATE_FAILED"));
  EXPECT_THAT(Names(files_, "/out"), IsEmpty());
  spec.mutable_quality_gate()->set_max_perplexity_ratio(1.2);
  EXPECT_FALSE(RunJob("good", spec).empty());
}

TEST_F(JobDriverTest, EvaluationsThatAreNotFiniteFail) {
  harness_.worker().quantized_nll = std::numeric_limits<double>::quiet_NaN();
  RunJob("job", Spec());
  EXPECT_THAT(FailureOf("job"), HasSubstr("NUMERICAL_FAILURE"));
}

TEST_F(JobDriverTest, ReportsThatDoNotMatchTheStoredBytesFailValidation) {
  harness_.worker().states_other_weights = true;
  RunJob("job", Spec());
  EXPECT_THAT(FailureOf("job"), AllOf(HasSubstr("VALIDATION_FAILED"), HasSubstr("weight_digest_differs"),
                                      HasSubstr("model.layers.0.self_attn.q_proj.weight")));
}

TEST_F(JobDriverTest, CopiesThatDoNotReadBackAsTheSourceFailTheJob) {
  harness_.CreateJob("job", Spec());
  harness_.driver().RunUntilIdle();
  bool spoiled = false;
  for (const v1::PlannedFile& file : harness_.Job("job")->plan->files()) {
    for (const v1::PlannedTensor& tensor : file.tensors()) {
      if (tensor.name() != "model.norm.weight") continue;
      const std::string part =
          StagingPath(kOutput, "job", harness_.store().epoch()) + "/" + file.name() + ".part";
      const auto staged = files_.OpenForUpdate(part);
      ASSERT_TRUE(staged.ok()) << staged.status();
      ASSERT_TRUE(
          (*staged)->WriteAt(static_cast<int64_t>(file.header().size()) + tensor.begin(), "\x11\x22").ok());
      spoiled = true;
    }
  }
  ASSERT_TRUE(spoiled);
  harness_.RunToEnd("job");
  EXPECT_THAT(FailureOf("job"), AllOf(HasSubstr("VALIDATION_FAILED"), HasSubstr("model.norm.weight"),
                                      HasSubstr("copied from the source")));
  EXPECT_THAT(Names(files_, "/out"), IsEmpty());
}

TEST_F(JobDriverTest, CancellingRemovesWhatWasStaged) {
  harness_.CreateJob("job", Spec());
  harness_.driver().RunUntilIdle();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(harness_.CompleteOneTask("job"));
  harness_.driver().RunUntilIdle();
  EXPECT_EQ(Names(files_, "/out").size(), 1u);
  harness_.Cancel("job");
  harness_.driver().RunUntilIdle();
  EXPECT_EQ(harness_.Job("job")->state, Job::STATE_CANCELLED);
  EXPECT_THAT(Names(files_, "/out"), IsEmpty());
  EXPECT_THAT(*harness_.blobs().ListBlobs(), IsEmpty());
}

TEST_F(JobDriverTest, CancellingAQueuedJobEndsIt) {
  harness_.CreateJob("job", Spec());
  harness_.Cancel("job");
  harness_.driver().RunUntilIdle();
  EXPECT_EQ(harness_.Job("job")->state, Job::STATE_CANCELLED);
}

TEST_F(JobDriverTest, EvaluationOnlyJobsReportAndPublishNothing) {
  RunJob("job", Spec());
  v1::JobSpec spec;
  *spec.mutable_model()->mutable_location() = LocalPath(kModel);
  *spec.mutable_evaluate_checkpoint() = LocalPath(kOutput);
  *spec.mutable_evaluation() = Spec().evaluation();
  harness_.CreateJob("evaluate", spec);
  harness_.RunToEnd("evaluate");
  ASSERT_EQ(harness_.Job("evaluate")->state, Job::STATE_SUCCEEDED) << FailureOf("evaluate");
  EXPECT_EQ(harness_.Job("evaluate")->staging_directory, kOutput);
  EXPECT_DOUBLE_EQ(harness_.Job("evaluate")->result.evaluation().kl_sum(), 10);
  EXPECT_EQ(PublishedBytes(files_, kOutput).empty(), false) << "the checkpoint stays";
}

TEST_F(JobDriverTest, RunsOnItsOwnThread) {
  harness_.driver().Start();
  harness_.CreateJob("job", Spec());
  absl::Mutex mutex;
  bool ended = false;
  const int listener = harness_.store().AddListener([&](const v1::Update& update, const auto&) {
    absl::MutexLock lock(&mutex);
    ended |= update.has_job_ended();
  });
  harness_.Cancel("job");
  mutex.LockWhen(absl::Condition(&ended));
  mutex.Unlock();
  harness_.store().RemoveListener(listener);
}

}  // namespace
}  // namespace heroq
