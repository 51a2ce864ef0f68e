// submit, list, get, watch, wait, cancel, delete, workers against a service in this process.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <sstream>

#include "coordinator/client/heroq_cli.h"
#include "tests/support/fake_quantization_service.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/test_server.h"

namespace heroq {
namespace {

using Job = v1::QuantizationJob;

// Threads of the server inherit it: an interrupt must reach the command, not them.
struct BlockedInterrupt {
  BlockedInterrupt() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  }
};

class ServerCommandsTest : public ::testing::Test {
 protected:
  ServerCommandsTest() : server_({&service_}) {
    context_.out = &out_;
    context_.error = &error_;
    context_.files = &files_;
    context_.clock = &Clock::System();
    context_.environment = [](const std::string&) { return std::nullopt; };
    context_.terminal_size = [] { return TerminalSize(); };
    context_.working_directory = "/";
  }

  int Run(std::vector<std::string> arguments) {
    out_.str("");
    error_.str("");
    arguments.push_back("--server");
    arguments.push_back(server_.address());
    return static_cast<int>(RunHeroq(arguments, context_));
  }

  BlockedInterrupt blocked_;
  std::ostringstream out_, error_;
  MemoryFileSystem files_;
  FakeQuantizationService service_;
  TestServer server_;
  CliContext context_;
};

TEST_F(ServerCommandsTest, SubmitSendsTheJobAndPrintsItsName) {
  EXPECT_EQ(Run({"submit", "models:smol", "--output", "out:smol-w4", "--bits", "3", "--calibration",
                 "texts:a.txt", "--id", "mine", "-o", "name"}),
            0)
      << error_.str();
  EXPECT_EQ(out_.str(), "quantizationJobs/mine\n");
  const v1::JobSpec spec = service_.job("mine").spec();
  EXPECT_EQ(spec.model().location().root(), "models");
  EXPECT_EQ(spec.output().location().path(), "smol-w4");
  EXPECT_EQ(spec.scheme().weight_bits(), 3);
}

TEST_F(ServerCommandsTest, RefusedJobShowsItsViolations) {
  EXPECT_EQ(
      Run({"submit", "models:smol", "--output", "out:x", "--id", "mine", "--samples", "4", "--shards", "5"}),
      2);
  EXPECT_EQ(error_.str(),
            "heroq: error: the job spec is invalid\n"
            "  --shards (calibration.shards) is 5, more than the 4 sequences they divide\n");
}

TEST_F(ServerCommandsTest, ListFollowsPagesAndFilters) {
  for (int i = 0; i < 5; ++i)
    service_.Add("j" + std::to_string(i), i < 3 ? Job::STATE_RUNNING : Job::STATE_FAILED);
  EXPECT_EQ(Run({"list", "-o", "name"}), 0);
  EXPECT_EQ(out_.str(),
            "quantizationJobs/j0\nquantizationJobs/j1\nquantizationJobs/j2\nquantizationJobs/"
            "j3\nquantizationJobs/j4\n");
  EXPECT_EQ(Run({"list", "-o", "name", "--limit", "3"}), 0);
  EXPECT_EQ(out_.str(), "quantizationJobs/j0\nquantizationJobs/j1\nquantizationJobs/j2\n");
  EXPECT_EQ(Run({"list", "--state", "failed", "-o", "name"}), 0);
  EXPECT_EQ(out_.str(), "quantizationJobs/j3\nquantizationJobs/j4\n");
}

TEST_F(ServerCommandsTest, GetPrintsEveryForm) {
  service_.Add("a", Job::STATE_RUNNING);
  EXPECT_EQ(Run({"get", "a"}), 0);
  EXPECT_EQ(out_.str().substr(0, 13), "JOB  STATE   ");
  EXPECT_EQ(Run({"get", "quantizationJobs/a", "-o", "jsonl"}), 0);
  EXPECT_EQ(out_.str().substr(0, 31), "{\"name\":\"quantizationJobs/a\",\"s");
  EXPECT_EQ(Run({"get", "a", "-o", "yaml"}), 0);
  EXPECT_EQ(out_.str().substr(0, 25), "name: quantizationJobs/a\n");
}

TEST_F(ServerCommandsTest, UnknownJobIsAnErrorWithItsRemedy) {
  EXPECT_EQ(Run({"get", "none"}), 1);
  EXPECT_EQ(error_.str(), "heroq: error: no job 'none'\n  heroq list shows the jobs that exist.\n");
}

TEST_F(ServerCommandsTest, CancelAndDelete) {
  service_.Add("a", Job::STATE_RUNNING);
  EXPECT_EQ(Run({"cancel", "a", "-o", "name"}), 0);
  EXPECT_EQ(service_.job("a").state(), Job::STATE_CANCELLING);
  service_.Add("b", Job::STATE_SUCCEEDED);
  EXPECT_EQ(Run({"delete", "b"}), 0);
  EXPECT_EQ(Run({"get", "b"}), 1);
}

TEST_F(ServerCommandsTest, WatchEndsWithTheJob) {
  service_.Add("a", Job::STATE_RUNNING);
  service_.EndWhenWatched("a", Job::STATE_SUCCEEDED);
  EXPECT_EQ(Run({"watch", "a"}), 0) << error_.str();
  EXPECT_EQ(out_.str(), "directory       /published/a\n");
  EXPECT_NE(error_.str().find("task quantize/0/mlp lost"), std::string::npos);
}

TEST_F(ServerCommandsTest, WatchAsJsonLinesGivesEveryUpdate) {
  service_.Add("a", Job::STATE_RUNNING);
  service_.EndWhenWatched("a", Job::STATE_SUCCEEDED);
  EXPECT_EQ(Run({"watch", "a", "-o", "jsonl", "--quiet"}), 0);
  const std::string lines = out_.str();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3);
  EXPECT_EQ(error_.str(), "");
}

TEST_F(ServerCommandsTest, ExitCodeTellsHowTheJobEnded) {
  service_.Add("a", Job::STATE_RUNNING);
  service_.EndWhenWatched("a", Job::STATE_FAILED);
  EXPECT_EQ(Run({"wait", "a", "-q"}), 3);
  EXPECT_EQ(error_.str(), "heroq: error: job failed: no luck\n  See the last error in the message.\n");
  service_.Add("b", Job::STATE_RUNNING);
  service_.EndWhenWatched("b", Job::STATE_CANCELLED);
  EXPECT_EQ(Run({"wait", "b", "-q"}), 3);
  EXPECT_EQ(error_.str(), "heroq: error: job b was cancelled\n");
}

TEST_F(ServerCommandsTest, BrokenWatchIsResumedAfterTheLastEvent) {
  service_.Add("a", Job::STATE_RUNNING);
  service_.EndWhenWatched("a", Job::STATE_SUCCEEDED);
  service_.BreakNextWatch();
  EXPECT_EQ(Run({"watch", "a"}), 0) << error_.str();
  EXPECT_NE(error_.str().find("connection lost"), std::string::npos);
  EXPECT_EQ(service_.watched_after(), (std::vector<int64_t>{0, 7}));
}

TEST_F(ServerCommandsTest, WaitGivesUpAfterItsTimeout) {
  service_.Add("a", Job::STATE_RUNNING);
  EXPECT_EQ(Run({"wait", "a", "--timeout", "0.05", "-q"}), 6);
  EXPECT_EQ(error_.str(), "heroq: error: job a has not ended within 0.05; it goes on\n");
}

TEST_F(ServerCommandsTest, InterruptLeavesTheJobRunning) {
  service_.Add("a", Job::STATE_RUNNING);
  service_.OnWatch([] { kill(getpid(), SIGINT); });
  EXPECT_EQ(Run({"watch", "a", "-q"}), 130);
  EXPECT_NE(error_.str().find("the job goes on. heroq watch a"), std::string::npos);
  EXPECT_EQ(service_.job("a").state(), Job::STATE_RUNNING);
}

TEST_F(ServerCommandsTest, QuantizeOnAServerSubmitsAndFollows) {
  service_.EndWhenWatched("chosen", Job::STATE_SUCCEEDED);
  EXPECT_EQ(Run({"quantize", "models:m", "--output", "out:o", "--method", "rtn", "-o", "name", "-q"}), 0)
      << error_.str();
  EXPECT_EQ(out_.str(), "/published/chosen\n");
}

TEST_F(ServerCommandsTest, WorkersAreListed) {
  EXPECT_EQ(Run({"workers"}), 0);
  EXPECT_EQ(out_.str(),
            "WORKER  DEVICE  CORES  RUNNING  MEMORY  HEARTBEAT  STATE  NUMERIC CLASS\n"
            "w1      cpu         2  1/2      300 MB  1.5s       ready  x\n");
}

TEST_F(ServerCommandsTest, VersionOfAServerNamesItsRoots) {
  EXPECT_EQ(Run({"version"}), 0);
  EXPECT_NE(out_.str().find("roots     models, out\n"), std::string::npos);
}

}  // namespace
}  // namespace heroq
