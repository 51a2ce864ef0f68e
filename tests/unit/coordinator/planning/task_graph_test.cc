#include "coordinator/planning/task_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_plan.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Ids(const TaskGraph& graph) {
  std::vector<std::string> ids;
  for (const TaskNode& node : graph.nodes()) ids.push_back(node.id);
  return ids;
}

std::vector<std::string> Dependencies(const TaskGraph& graph, const std::string& id) {
  std::vector<std::string> ids;
  for (int index : graph.nodes()[graph.Find(id).value()].dependencies) ids.push_back(graph.nodes()[index].id);
  return ids;
}

TEST(TaskGraphTest, FullPrecisionCapturesRunAheadOfQuantization) {
  const TaskGraph graph = TaskGraph::Build(TestPlan({.blocks = 2, .shards = 2}));
  EXPECT_THAT(Ids(graph),
              ElementsAre("capture/0/0", "capture/0/1", "quantize/0/attention", "quantize/0/mlp",
                          "capture/1/0", "capture/1/1", "quantize/1/attention", "quantize/1/mlp"));
  EXPECT_THAT(Dependencies(graph, "capture/0/1"), IsEmpty());
  EXPECT_THAT(Dependencies(graph, "capture/1/1"), ElementsAre("capture/0/1"));
  EXPECT_THAT(Dependencies(graph, "quantize/1/mlp"), ElementsAre("capture/1/0", "capture/1/1"));
}

TEST(TaskGraphTest, QuantizedPropagationAdvancesThroughQuantizedBlocks) {
  const TaskGraph graph =
      TaskGraph::Build(TestPlan({.blocks = 2, .shards = 2, .propagation = v1::PROPAGATION_QUANTIZED}));
  EXPECT_THAT(Ids(graph), ElementsAre("capture/0/0", "capture/0/1", "quantize/0/attention", "quantize/0/mlp",
                                      "advance/0/0", "advance/0/1", "capture/1/0", "capture/1/1",
                                      "quantize/1/attention", "quantize/1/mlp"));
  EXPECT_THAT(Dependencies(graph, "advance/0/1"),
              UnorderedElementsAre("quantize/0/attention", "quantize/0/mlp"));
  EXPECT_THAT(Dependencies(graph, "capture/1/0"), ElementsAre("advance/0/0"));
}

TEST(TaskGraphTest, AdvanceReadsTheHiddenStatesOfTheBlockBefore) {
  const TaskGraph graph =
      TaskGraph::Build(TestPlan({.blocks = 3, .shards = 1, .propagation = v1::PROPAGATION_QUANTIZED}));
  EXPECT_THAT(Dependencies(graph, "advance/1/0"),
              UnorderedElementsAre("advance/0/0", "quantize/1/attention", "quantize/1/mlp"));
}

TEST(TaskGraphTest, UnitsOutsideTheBlocksDependOnNothing) {
  v1::Plan plan = TestPlan({.blocks = 1, .shards = 1});
  v1::PlannedUnit& head = *plan.add_units();
  head.set_block(-1);
  head.set_unit("head");
  head.add_tensors()->set_name("lm_head.weight");
  const TaskGraph graph = TaskGraph::Build(plan);
  EXPECT_THAT(Ids(graph),
              ElementsAre("capture/0/0", "quantize/0/attention", "quantize/0/mlp", "rewrite/head"));
  EXPECT_THAT(Dependencies(graph, "rewrite/head"), IsEmpty());
  EXPECT_EQ(graph.nodes().back().unit, 2);
}

TEST(TaskGraphTest, BlocksWithoutUnitsAreCapturedOnlyToCarryHiddenStates) {
  v1::Plan plan = TestPlan({.blocks = 4, .shards = 1});
  plan.mutable_units()->DeleteSubrange(6, 2);  // block 3: nothing after it needs anything
  plan.mutable_units()->DeleteSubrange(2, 2);  // block 1
  EXPECT_THAT(Ids(TaskGraph::Build(plan)),
              ElementsAre("capture/0/0", "quantize/0/attention", "quantize/0/mlp", "capture/1/0",
                          "capture/2/0", "quantize/2/attention", "quantize/2/mlp"));
  plan.mutable_calibration()->set_propagation(v1::PROPAGATION_QUANTIZED);
  const TaskGraph quantized = TaskGraph::Build(plan);
  EXPECT_THAT(Ids(quantized),
              ElementsAre("capture/0/0", "quantize/0/attention", "quantize/0/mlp", "advance/0/0",
                          "advance/1/0", "capture/2/0", "quantize/2/attention", "quantize/2/mlp"));
  EXPECT_THAT(Dependencies(quantized, "advance/1/0"), ElementsAre("advance/0/0"));
  EXPECT_THAT(Dependencies(quantized, "capture/2/0"), ElementsAre("advance/1/0"));
}

TEST(TaskGraphTest, WithoutCalibrationOnlyQuantizeTasksExist) {
  const TaskGraph graph = TaskGraph::Build(TestPlan({.blocks = 1, .calibrated = false}));
  EXPECT_THAT(Ids(graph), ElementsAre("quantize/0/attention", "quantize/0/mlp"));
  EXPECT_THAT(Dependencies(graph, "quantize/0/mlp"), IsEmpty());
}

TEST(TaskGraphTest, EvaluationHasAtMostEightRanges) {
  const v1::Plan few = TestPlan({.calibrated = false, .quantized = false, .evaluation_sequences = 3});
  EXPECT_THAT(Ids(TaskGraph::Build(few)), ElementsAre("evaluate/0", "evaluate/1", "evaluate/2"));
  EXPECT_EQ(EvaluationRangeCount(TestPlan({.evaluation_sequences = 32})), 8);
  EXPECT_EQ(EvaluationRangeCount(TestPlan()), 0);
}

TEST(TaskGraphTest, DependentsMirrorDependenciesAndOrderIsTopological) {
  const TaskGraph graph = TaskGraph::Build(TestPlan(
      {.blocks = 3, .shards = 3, .propagation = v1::PROPAGATION_QUANTIZED, .evaluation_sequences = 2}));
  size_t edges = 0, mirrored = 0;
  for (int index = 0; index < static_cast<int>(graph.nodes().size()); ++index) {
    EXPECT_EQ(graph.Find(graph.nodes()[index].id), index);
    for (int dependency : graph.nodes()[index].dependencies) {
      EXPECT_LT(dependency, index);
      EXPECT_THAT(graph.dependents(dependency), testing::Contains(index));
      ++edges;
    }
    mirrored += graph.dependents(index).size();
  }
  EXPECT_EQ(edges, mirrored);
  EXPECT_FALSE(graph.Find("capture/9/9").has_value());
}

}  // namespace
}  // namespace heroq
