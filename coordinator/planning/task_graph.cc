#include "coordinator/planning/task_graph.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

constexpr int kMaxEvaluationRanges = 8;

// Adds the tasks of one plan in topological order: block by block, captures, quantizations, advances.
class GraphBuilder {
 public:
  explicit GraphBuilder(const v1::Plan& plan) : plan_(plan) {
    for (int unit = 0; unit < plan.units_size(); ++unit) {
      const int block = plan.units(unit).block();
      (block < 0 ? outside_ : units_of_block_[block]).push_back(unit);
    }
  }

  std::vector<TaskNode> Build() {
    if (!units_of_block_.empty()) {
      if (plan_.has_calibration_tokens()) {
        const int last_block = units_of_block_.rbegin()->first;
        for (int block = 0; block <= last_block; ++block) AddCalibratedBlock(block, last_block);
      } else {
        for (const auto& [block, units] : units_of_block_) AddQuantize(block, {});
      }
    }
    for (int unit : outside_) {
      const int block = plan_.units(unit).block();
      Add({absl::StrCat("rewrite/", plan_.units(unit).unit()), TaskKind::kQuantize, block, 0, unit, {}});
    }
    for (int index = 0; index < EvaluationRangeCount(plan_); ++index) {
      Add({absl::StrCat("evaluate/", index), TaskKind::kEvaluate, 0, index, 0, {}});
    }
    return std::move(nodes_);
  }

 private:
  int Add(TaskNode node) {
    nodes_.push_back(std::move(node));
    return static_cast<int>(nodes_.size()) - 1;
  }

  void AddCalibratedBlock(int block, int last_block) {
    const bool quantized = plan_.calibration().propagation() == v1::PROPAGATION_QUANTIZED;
    // Full-precision captures also carry the hidden states through blocks that keep all their linears.
    const bool captured = !quantized || units_of_block_.count(block) > 0;
    std::vector<int> captures;
    if (captured) {
      for (int shard = 0; shard < plan_.calibration().shards(); ++shard) {
        captures.push_back(Add({absl::StrCat("capture/", block, "/", shard), TaskKind::kCapture, block, shard,
                                0, Input(shard)}));
      }
    }
    const std::vector<int> quantizations = AddQuantize(block, captures);
    std::vector<int> next;
    if (quantized && block < last_block) {
      for (int shard = 0; shard < plan_.calibration().shards(); ++shard) {
        std::vector<int> dependencies = Input(shard);
        dependencies.insert(dependencies.end(), quantizations.begin(), quantizations.end());
        next.push_back(Add({absl::StrCat("advance/", block, "/", shard), TaskKind::kAdvance, block, shard, 0,
                            std::move(dependencies)}));
      }
    } else {
      next = std::move(captures);
    }
    hidden_ = std::move(next);
  }

  std::vector<int> AddQuantize(int block, const std::vector<int>& captures) {
    std::vector<int> added;
    const auto units = units_of_block_.find(block);
    if (units == units_of_block_.end()) return added;
    for (int unit : units->second) {
      added.push_back(Add({absl::StrCat("quantize/", block, "/", plan_.units(unit).unit()),
                           TaskKind::kQuantize, block, 0, unit, captures}));
    }
    return added;
  }

  // The task that makes the hidden states a block reads; none for block 0, which embeds its tokens.
  std::vector<int> Input(int shard) const {
    return hidden_.empty() ? std::vector<int>() : std::vector<int>{hidden_[shard]};
  }

  const v1::Plan& plan_;
  std::map<int, std::vector<int>> units_of_block_;
  std::vector<int> outside_;
  std::vector<TaskNode> nodes_;
  std::vector<int> hidden_;  // by shard
};

}  // namespace

absl::string_view ToString(TaskKind kind) {
  switch (kind) {
    case TaskKind::kCapture:
      return "capture";
    case TaskKind::kQuantize:
      return "quantize";
    case TaskKind::kAdvance:
      return "advance";
    case TaskKind::kEvaluate:
      return "evaluate";
  }
  return "";
}

int EvaluationRangeCount(const v1::Plan& plan) {
  return plan.has_evaluation_tokens() ? std::min(plan.evaluation().sequences(), kMaxEvaluationRanges) : 0;
}

int64_t TaskCountBound(const v1::Plan& plan, int64_t blocks) {
  const int tasks_per_shard = plan.calibration().propagation() == v1::PROPAGATION_QUANTIZED ? 2 : 1;
  return blocks * tasks_per_shard * plan.calibration().shards() + plan.units_size();
}

TaskGraph TaskGraph::Build(const v1::Plan& plan) {
  TaskGraph graph;
  graph.nodes_ = GraphBuilder(plan).Build();
  graph.dependents_.resize(graph.nodes_.size());
  for (int index = 0; index < static_cast<int>(graph.nodes_.size()); ++index) {
    const TaskNode& node = graph.nodes_[index];
    graph.by_id_.emplace(node.id, index);
    for (int dependency : node.dependencies) graph.dependents_[dependency].push_back(index);
  }
  return graph;
}

std::optional<int> TaskGraph::Find(absl::string_view id) const {
  const auto found = by_id_.find(std::string(id));
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

}  // namespace heroq
