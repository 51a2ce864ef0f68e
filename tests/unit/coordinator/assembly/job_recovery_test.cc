#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <stdexcept>

#include "common/file/io_error.h"
#include "coordinator/assembly/job_driver.h"
#include "tests/support/driver_harness.h"
#include "tests/support/memory_file_system.h"
#include "tests/unit/coordinator/assembly/small_job.h"

namespace heroq {
namespace {

using Job = v1::QuantizationJob;

constexpr char kOutput[] = "/out/w4";

// Stands for the end of the process: thrown from inside a file operation.
struct Crash : std::exception {};

struct World {
  World() {
    WriteSmallInputs(files);
    harness = std::make_unique<DriverHarness>(files, "/state");
    harness->CreateJob("job", SmallJob(kOutput));
  }

  std::map<std::string, std::string> Published() { return PublishedBytes(files, kOutput); }

  MemoryFileSystem files;
  std::unique_ptr<DriverHarness> harness;
};

std::map<std::string, std::string> UndisturbedRun() {
  World world;
  world.harness->RunToEnd("job");
  return world.Published();
}

TEST(JobRecoveryTest, ANewDriverAfterEveryStepPublishesTheSameBytes) {
  const auto expected = UndisturbedRun();
  ASSERT_FALSE(expected.empty());
  World world;
  bool moved = true;
  while (moved) {
    moved = world.harness->driver().RunOneStep();
    world.harness->Restart();
    moved |= world.harness->CompleteOneTask("job");
    const std::shared_ptr<const JobRecord> job = world.harness->Job("job");
    moved |= !job->terminal();
    // A step that only prepares memory is made again by every driver: let each one do it and one step more.
    world.harness->driver().RunOneStep();
    world.harness->driver().RunOneStep();
    world.harness->driver().RunOneStep();
    world.harness->driver().RunOneStep();
  }
  EXPECT_EQ(world.harness->Job("job")->state, Job::STATE_SUCCEEDED)
      << world.harness->Job("job")->failure.DebugString();
  EXPECT_EQ(world.Published(), expected);
}

// Crashes at the n-th file operation of the driver, restarts and runs on; for every n.
TEST(JobRecoveryTest, ACrashAtAnyFileOperationPublishesTheSameBytes) {
  const auto expected = UndisturbedRun();
  int crashes = 0;
  for (int crash_at = 1;; ++crash_at) {
    World world;
    int operations = 0;
    bool crashed = false;
    world.files.SetFault([&](absl::string_view operation, const std::string& path) {
      // Reads change nothing, so a crash before one is a crash after the change before it.
      if (operation == "read" || operation == "stat" || operation == "list" || operation == "open")
        return absl::OkStatus();
      if (!crashed && ++operations == crash_at) {
        crashed = true;
        throw Crash();
      }
      return absl::OkStatus();
    });
    try {
      world.harness->RunToEnd("job");
    } catch (const Crash&) {
    }
    if (!crashed) break;
    ++crashes;
    world.harness->Restart();
    world.harness->RunToEnd("job");
    ASSERT_EQ(world.harness->Job("job")->state, Job::STATE_SUCCEEDED)
        << "crash " << crash_at << ": " << world.harness->Job("job")->failure.DebugString();
    ASSERT_EQ(world.Published(), expected) << "crash " << crash_at;
    ASSERT_EQ(world.files.List("/out")->size(), 1u) << "crash " << crash_at;
  }
  EXPECT_GT(crashes, 50);
}

TEST(JobRecoveryTest, ACrashBetweenPublicationAndItsEntryRollsForward) {
  const auto expected = UndisturbedRun();
  World world;
  bool crashed = false;
  world.files.SetFault([&](absl::string_view operation, const std::string& path) {
    if (!crashed && operation == "sync directory" && path == "/out" && world.files.Exists(kOutput)) {
      crashed = true;
      throw Crash();
    }
    return absl::OkStatus();
  });
  try {
    world.harness->RunToEnd("job");
  } catch (const Crash&) {
  }
  ASSERT_TRUE(crashed);
  EXPECT_EQ(world.Published(), expected) << "published, but not recorded";
  EXPECT_EQ(world.harness->Job("job")->state, Job::STATE_RUNNING);
  world.harness->Restart();
  world.harness->driver().RunUntilIdle();
  EXPECT_EQ(world.harness->Job("job")->state, Job::STATE_SUCCEEDED);
  EXPECT_EQ(world.harness->Job("job")->result.directory(), kOutput);
}

TEST(JobRecoveryTest, ADiskThatFailsAfterThePublicationDoesNotFailTheJob) {
  const auto expected = UndisturbedRun();
  World world;
  int failures = 2;
  world.files.SetFault([&](absl::string_view operation, const std::string& path) {
    if (operation == "sync directory" && path == "/out" && world.files.Exists(kOutput) && failures-- > 0) {
      return IoError(EIO, "sync", path);
    }
    return absl::OkStatus();
  });
  world.harness->RunToEnd("job");
  EXPECT_EQ(world.harness->Job("job")->state, Job::STATE_RUNNING);
  world.harness->driver().RunUntilIdle();
  EXPECT_EQ(world.harness->Job("job")->state, Job::STATE_RUNNING) << "the disk failed again";
  world.harness->driver().RunUntilIdle();
  EXPECT_EQ(world.harness->Job("job")->state, Job::STATE_SUCCEEDED);
  EXPECT_EQ(world.Published(), expected);
}

TEST(JobRecoveryTest, DamagedStagedFilesAreWrittenAgain) {
  const auto expected = UndisturbedRun();
  World world;
  while (world.harness->Job("job")->files.empty()) {
    world.harness->CompleteOneTask("job");
    world.harness->driver().RunUntilIdle();
  }
  const std::string name = world.harness->Job("job")->files.begin()->first;
  ASSERT_TRUE((*world.files.OpenForUpdate("/out/.staging-job-1/" + name))->WriteAt(1000, "x").ok());
  world.harness->Restart();
  world.harness->RunToEnd("job");
  EXPECT_EQ(world.Published(), expected) << world.harness->Job("job")->failure.DebugString();
}

TEST(JobRecoveryTest, LeftoversOfAnEndedJobAreRemovedAtTheNextStart) {
  World world;
  world.harness->RunToEnd("job");
  ASSERT_TRUE(world.files.CreateDirectories("/out/.staging-job-1").ok());
  ASSERT_TRUE(world.files.CreateDirectories("/out/.staging-job-other-1").ok());
  world.harness->Restart();
  world.harness->driver().RunUntilIdle();
  EXPECT_THAT(*world.files.List("/out"), testing::ElementsAre(".staging-job-other-1", "w4"));
}

}  // namespace
}  // namespace heroq
