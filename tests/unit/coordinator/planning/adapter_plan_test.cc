#include "coordinator/planning/adapter_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/model/adapter_names.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

v1::MethodSpec Method(int rank) {
  v1::MethodSpec method;
  method.mutable_arhq()->set_rank(rank);
  method.mutable_arhq()->set_branch(v1::LOW_RANK_BRANCH_RESIDUAL);
  return method;
}

v1::PlannedUnit Unit(const std::string& name, int64_t out, int64_t in, int activation_bits) {
  v1::PlannedUnit unit;
  v1::PlannedLinear& linear = *unit.add_linears();
  linear.set_name(name);
  linear.set_out_features(out);
  linear.set_in_features(in);
  linear.mutable_scheme()->set_weight_bits(4);
  linear.mutable_scheme()->set_activation_bits(activation_bits);
  return unit;
}

TEST(AdapterPlanTest, RanksLargerThanALinearsAreRefusedByName) {
  const std::vector<v1::PlannedUnit> units = {Unit("a.q_proj", 64, 32, 4), Unit("a.k_proj", 16, 32, 4)};
  EXPECT_TRUE(CheckBranches(Method(16), units).ok());
  const absl::Status status = CheckBranches(Method(17), units);
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  EXPECT_THAT(std::string(status.message()), HasSubstr("a.k_proj [16, 32] has rank 16 at most"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("a.q_proj")));
}

TEST(AdapterPlanTest, LinearsWhoseActivationsStayLeaveNoResidual) {
  const absl::Status status = CheckBranches(Method(2), {Unit("a.q_proj", 64, 32, 16)});
  EXPECT_THAT(std::string(status.message()), HasSubstr("activations of a.q_proj"));
  v1::MethodSpec none = Method(2);
  none.mutable_arhq()->set_branch(v1::LOW_RANK_BRANCH_NONE);
  EXPECT_TRUE(CheckBranches(none, {Unit("a.q_proj", 64, 32, 16)}).ok());
}

TEST(AdapterPlanTest, TheFileHoldsEveryBranchInTheTypeThatWasPlanned) {
  std::vector<v1::PlannedUnit> units = {Unit("a.q_proj", 6, 4, 8), Unit("a.o_proj", 4, 6, 8)};
  for (v1::PlannedUnit& unit : units) {
    for (const bool up : {false, true}) {
      v1::RewrittenTensor& tensor = *unit.add_tensors();
      const v1::PlannedLinear& linear = unit.linears(0);
      tensor.set_name(up ? AdapterUpName(linear.name()) : AdapterDownName(linear.name()));
      tensor.set_dtype("BF16");
      tensor.add_shape(up ? linear.out_features() : 2);
      tensor.add_shape(up ? 2 : linear.in_features());
    }
    unit.add_tensors()->set_name("a.norm.weight");
  }
  const auto file = PlanAdapterFile(units);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->name(), "adapter/adapter_model.safetensors");
  ASSERT_EQ(file->tensors_size(), 4);
  int64_t bytes = 0;
  for (const v1::PlannedTensor& tensor : file->tensors()) {
    bytes += tensor.end() - tensor.begin();
    EXPECT_EQ(tensor.unit(), tensor.name().find("o_proj") == std::string::npos ? 0 : 1);
    EXPECT_FALSE(tensor.copied());
  }
  EXPECT_EQ(bytes, 2 * 2 * (6 + 4) * 2);
  EXPECT_TRUE(IsAdapterFile(*file));
}

TEST(AdapterPlanTest, ModulesAreNamedInFullWhereOneOfTheirKindIsKept) {
  v1::Plan plan;
  *plan.mutable_method() = Method(8);
  *plan.add_units() = Unit("model.layers.0.self_attn.o_proj", 8, 8, 8);
  *plan.add_units() = Unit("model.layers.1.self_attn.o_proj", 8, 8, 8);
  *plan.add_units() = Unit("model.layers.0.mlp.down_proj", 8, 8, 8);
  plan.add_kept()->set_name("model.layers.1.mlp.down_proj");
  plan.add_kept()->set_name("lm_head");
  const json config = json::parse(AdapterConfigJson(plan));
  EXPECT_EQ(config["target_modules"], json({"model.layers.0.mlp.down_proj", "o_proj"}));
  EXPECT_EQ(config["r"], 8);
  EXPECT_EQ(config["lora_alpha"], 8);
  EXPECT_EQ(config["peft_type"], "LORA");
}

}  // namespace
}  // namespace heroq
