#include "coordinator/scheduling/lease_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

class LeaseBuilderTest : public testing::Test {
 protected:
  explicit LeaseBuilderTest(v1::Propagation propagation = v1::PROPAGATION_FULL_PRECISION) {
    fixture_.AddJob(
        "a", TestPlan({.blocks = 2, .shards = 4, .propagation = propagation, .evaluation_sequences = 10}));
  }

  v1::Task Build(const std::vector<std::string>& ids) {
    auto task = BuildTask(job(), Indices(ids));
    EXPECT_TRUE(task.ok()) << task.status();
    return *std::move(task);
  }
  // On one lease, with the result of a correct worker.
  void Run(const std::vector<std::string>& ids) {
    const v1::Task task = Build(ids);
    ASSERT_TRUE(fixture_.Apply(CompleteUpdate(fixture_.Lease("a", ids), TestResult(task, 4))).ok());
  }
  std::vector<int> Indices(const std::vector<std::string>& ids) {
    std::vector<int> tasks;
    for (const std::string& id : ids) tasks.push_back(job().graph->Find(id).value());
    return tasks;
  }
  const JobRecord& job() const { return fixture_.Job("a"); }

  StateFixture fixture_;
};

class QuantizedLeaseBuilderTest : public LeaseBuilderTest {
 protected:
  QuantizedLeaseBuilderTest() : LeaseBuilderTest(v1::PROPAGATION_QUANTIZED) {}
};

TEST_F(LeaseBuilderTest, FirstBlockStartsFromTokens) {
  const v1::Task task = Build({"capture/0/1", "capture/0/2"});
  EXPECT_EQ(task.id(), "capture/0/1-3");
  EXPECT_EQ(task.capture().shard_begin(), 1);
  EXPECT_EQ(task.capture().shard_end(), 3);
  EXPECT_EQ(task.capture().tokens().sha256(), TestDigest("calibration tokens").sha256());
  EXPECT_EQ(task.capture().hidden_states_size(), 0);
  EXPECT_TRUE(task.capture().emit_hidden_states());
}

TEST_F(LeaseBuilderTest, LaterBlocksStartFromHiddenStatesOfTheirShards) {
  Run({"capture/0/0", "capture/0/1", "capture/0/2"});
  const v1::Task task = Build({"capture/1/1", "capture/1/2"});
  EXPECT_FALSE(task.capture().has_tokens());
  EXPECT_FALSE(task.capture().emit_hidden_states()) << "the last block";
  ASSERT_EQ(task.capture().hidden_states_size(), 2);
  EXPECT_EQ(task.capture().hidden_states(1).shard(), 2);
  EXPECT_EQ(task.capture().hidden_states(1).blob().sha256(), TestDigest("capture/0/hidden/2").sha256());
}

TEST_F(LeaseBuilderTest, QuantizeGetsItsLinearsAndTheNodesOfItsInputs) {
  Run({"capture/0/0", "capture/0/1", "capture/0/2"});
  Run({"capture/0/3"});
  const v1::QuantizeTask task = Build({"quantize/0/attention"}).quantize();
  EXPECT_EQ(task.unit(), "attention");
  ASSERT_EQ(task.linears_size(), 2);
  EXPECT_EQ(task.linears(1).name(), "model.layers.0.self_attn.o_proj");
  EXPECT_EQ(task.linears(1).scheme().weight_bits(), 4);
  std::vector<std::string> nodes;
  for (const v1::StatisticsNode& node : task.statistics()) {
    nodes.push_back(node.input() + std::to_string(node.shard_begin()) + std::to_string(node.shard_end()));
  }
  EXPECT_THAT(nodes, testing::ElementsAre("attention_in02", "attention_in23", "attention_in34",
                                          "attention_out02", "attention_out23", "attention_out34"));
}

TEST_F(LeaseBuilderTest, MissingInputNamesTheTaskThatLacksIt) {
  fixture_.Finish("a", {"capture/0/0"});
  const absl::Status hidden = BuildTask(job(), Indices({"capture/1/0"})).status();
  EXPECT_TRUE(HasReason(hidden, Reason::kInternal));
  EXPECT_THAT(std::string(hidden.message()), testing::HasSubstr("capture/0/0 lacks hidden/0"));
  Run({"capture/0/1"});
  fixture_.Finish("a", {"capture/0/2"});
  EXPECT_FALSE(BuildTask(job(), Indices({"quantize/0/mlp"})).ok());
}

TEST_F(LeaseBuilderTest, EvaluationRangesCoverTheSequencesOnce) {
  int covered = 0;
  for (int index = 0; index < 8; ++index) {
    const v1::EvaluateTask task = Build({"evaluate/" + std::to_string(index)}).evaluate();
    EXPECT_EQ(task.sequence_begin(), covered);
    EXPECT_GT(task.sequence_end(), covered);
    EXPECT_EQ(task.tokens().sha256(), TestDigest("evaluation tokens").sha256());
    covered = task.sequence_end();
  }
  EXPECT_EQ(covered, 10);
}

TEST_F(LeaseBuilderTest, EvaluationReadsTheStagedDirectory) {
  ASSERT_TRUE(fixture_.Apply(PhaseUpdate("a", v1::QuantizationJob::PHASE_VALIDATING, "/staged")).ok());
  EXPECT_EQ(Build({"evaluate/0"}).evaluate().checkpoint_directory(), "/staged");
}

TEST_F(QuantizedLeaseBuilderTest, AdvanceReadsUnitsAndTheHiddenStatesBeforeTheBlock) {
  Run({"capture/0/0", "capture/0/1", "capture/0/2", "capture/0/3"});
  EXPECT_FALSE(EmitsHiddenStates(job(), 0));
  Run({"quantize/0/attention"});
  Run({"quantize/0/mlp"});
  const v1::AdvanceTask advance = Build({"advance/0/2", "advance/0/3"}).advance();
  EXPECT_EQ(advance.shard_begin(), 2);
  EXPECT_EQ(advance.shard_end(), 4);
  EXPECT_TRUE(advance.has_tokens());
  ASSERT_EQ(advance.units_size(), 2);
  EXPECT_EQ(advance.units(1).sha256(), TestDigest("quantize/0/mlp").sha256());
  Run({"advance/0/2", "advance/0/3"});
  const v1::CaptureTask capture = Build({"capture/1/2"}).capture();
  EXPECT_EQ(capture.hidden_states(0).blob().sha256(), TestDigest("advance/0/hidden/2").sha256());
}

TEST_F(LeaseBuilderTest, ContextIsThePlansAndTheSpecs) {
  const v1::JobContext context = BuildContext(job());
  EXPECT_EQ(context.job_id(), "a");
  EXPECT_EQ(context.model_directory(), "/model");
  EXPECT_EQ(context.compute_type(), "f32");
  EXPECT_EQ(context.threads(), 1);
  EXPECT_EQ(context.micro_batch(), 2);
  EXPECT_EQ(context.sequence_length(), 8);
  EXPECT_EQ(context.sequence_count(), 8);
  EXPECT_EQ(context.shards(), 4);
  EXPECT_EQ(context.seed(), 7u);
  EXPECT_TRUE(context.method().has_gptq());
  EXPECT_FALSE(context.strict());
}

}  // namespace
}  // namespace heroq
