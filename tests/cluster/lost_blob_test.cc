// Blobs that vanish or rot while a task that reads them is leased.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <tuple>

#include "common/blob/digest_proto.h"
#include "tests/support/test_cluster.h"
#include "tests/support/test_plan.h"

namespace heroq {
namespace {

std::map<std::string, std::string> UnitDigests(const JobRecord& job) {
  std::map<std::string, std::string> digests;
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    if (job.graph->nodes()[i].kind == TaskKind::kQuantize)
      digests[job.graph->nodes()[i].id] = job.tasks[i].result->outputs(0).digest().sha256();
  }
  return digests;
}

// Whether blobs lie in a shared directory, and whether they rot instead of vanishing.
class LostBlobTest : public ::testing::TestWithParam<std::tuple<bool, bool>> {
 protected:
  void Lose(const v1::BlobDigest& blob) {
    const Digest digest = DigestFromProto(blob);
    if (!std::get<1>(GetParam())) {
      ASSERT_TRUE(cluster_.blobs().Remove(digest).ok());
      return;
    }
    auto file = FileSystem::Posix().OpenForUpdate(cluster_.blobs().PathOf(digest));
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->WriteAt(0, "rotten").ok());
  }

  TestCluster cluster_{std::get<0>(GetParam())};
};

// A worker reads rotten bytes over gRPC several times, with pauses, before it believes them.
INSTANTIATE_TEST_SUITE_P(Blobs, LostBlobTest,
                         ::testing::Values(std::make_tuple(true, false), std::make_tuple(false, false),
                                           std::make_tuple(true, true)),
                         [](const auto& parameter) {
                           return std::string(std::get<0>(parameter.param) ? "Shared" : "Remote") +
                                  (std::get<1>(parameter.param) ? "Rotten" : "Missing");
                         });

TEST_P(LostBlobTest, WhatMadeItRunsAgainTheReaderIsNotChargedAndTheBytesAreTheSame) {
  std::atomic<bool> lose{false}, lost{false};
  std::string reader;
  cluster_.AddWorker("w", [&](const v1::Task& task, const TaskEnvironment&) {
    if (lose && task.quantize().block() == 1 && task.has_quantize() && !lost.exchange(true)) {
      reader = task.id();
      for (const v1::StatisticsNode& node : task.quantize().statistics()) Lose(node.blob());
    }
    return absl::OkStatus();
  });
  cluster_.AddJob("calm", TestPlan());
  ASSERT_TRUE(cluster_.WaitForJob("calm"));
  lose = true;
  cluster_.AddJob("hit", TestPlan());
  ASSERT_TRUE(cluster_.WaitFor([&](const CoordinatorState&) { return lost.load(); }));
  ASSERT_TRUE(cluster_.WaitForJob("hit"));
  const auto job = cluster_.Job("hit");
  int captured_again = 0;
  for (std::size_t i = 0; i < job->tasks.size(); ++i) {
    const TaskRecord& task = job->tasks[i];
    EXPECT_EQ(task.failures + task.losses + task.out_of_memory, 0) << job->graph->nodes()[i].id;
    captured_again += job->graph->nodes()[i].kind == TaskKind::kCapture && task.attempts == 2;
  }
  EXPECT_EQ(captured_again, 4) << "every shard of the block";
  EXPECT_EQ(job->tasks[job->graph->Find(reader).value()].attempts, 2);
  EXPECT_EQ(UnitDigests(*job), UnitDigests(*cluster_.Job("calm")));
}

}  // namespace
}  // namespace heroq
