#include "worker/agent/quantize_task.h"

#include <c10/core/ScalarType.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "common/status/error_reason.h"
#include "tests/unit/worker/agent/task_fixture.h"
#include "worker/agent/statistics_reader.h"
#include "worker/agent/tensor_blobs.h"
#include "worker/agent/unit_blob_reader.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

class QuantizeTaskTest : public TaskTest {
 protected:
  QuantizeTaskTest() {
    context_.mutable_method()->mutable_gptq();
    scheme_.set_weight_bits(4);
    scheme_.set_group_size(32);
    scheme_.set_activation_bits(16);
    scheme_.set_scale_type(v1::SCALE_TYPE_BF16);
  }

  // Quantizes the attention unit of block 1 after capturing it on every shard.
  v1::QuantizeTask AttentionTask() {
    HiddenStateCache cache(int64_t{1} << 20);
    std::vector<v1::TaskResult> first = {Run(Capture(0, 0, kShards), cache).value()};
    const v1::TaskResult captured = Run(Capture(1, 0, kShards, first), cache).value();
    v1::QuantizeTask task;
    task.set_block(1);
    task.set_unit("attention");
    for (const LinearLayout& linear : source_->layout().blocks[1].linears) {
      if (linear.unit != UnitKind::kAttention) continue;
      v1::LinearTask& added = *task.add_linears();
      added.set_name(linear.name);
      added.set_input(std::string(ToString(linear.input)));
      *added.mutable_scheme() = scheme_;
    }
    for (const v1::StatisticsNode& node : captured.statistics()) {
      if (node.input().rfind("attention", 0) == 0) *task.add_statistics() = node;
    }
    return task;
  }

  absl::StatusOr<v1::TaskResult> Quantize(const v1::QuantizeTask& task) {
    return RunQuantizeTask(task, context_, Environment(), *source_);
  }

  std::vector<QuantizedLinear> StoredLinears(const v1::TaskResult& result) {
    EXPECT_EQ(result.outputs_size(), 1);
    EXPECT_EQ(result.outputs(0).name(), "unit");
    const std::string bytes = blobs_.Get(DigestFromProto(result.outputs(0).digest())).value();
    return ReadUnitBlob(bytes, source_->layout().blocks[1], "unit")->linears;
  }

  // With statistics that `change` has changed.
  v1::QuantizeTask AttentionTaskWith(const std::function<void(LayerStatistics&)>& change) {
    v1::QuantizeTask task = AttentionTask();
    auto statistics = ReadStatistics(blobs_, task.statistics(), kShards).value();
    task.clear_statistics();
    for (auto& [input, layer] : statistics) {
      change(layer);
      v1::StatisticsNode& node = *task.add_statistics();
      node.set_input(std::string(ToString(input)));
      node.set_shard_end(kShards);
      *node.mutable_blob() = DigestToProto(PutStatistics(Pack(layer), blobs_).value());
    }
    return task;
  }

  // tr(M H M^T) in float64.
  static double Energy(const std::vector<float>& matrix, int64_t rows, const at::Tensor& moments) {
    const int64_t inputs = moments.size(0);
    const float* h = moments.const_data_ptr<float>();
    double energy = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const float* m = matrix.data() + row * inputs;
      for (int64_t i = 0; i < inputs; ++i) {
        for (int64_t j = 0; j < inputs; ++j) energy += static_cast<double>(m[i]) * h[i * inputs + j] * m[j];
      }
    }
    return energy;
  }

  v1::LinearScheme scheme_;
};

TEST_F(QuantizeTaskTest, ReportedErrorsAreThoseOfTheStoredBytes) {
  const v1::QuantizeTask task = AttentionTask();
  const auto result = Quantize(task);
  ASSERT_TRUE(result.ok()) << result.status();
  const std::vector<QuantizedLinear> stored = StoredLinears(*result);
  ASSERT_EQ(stored.size(), 4u);
  ASSERT_EQ(result->linears_size(), 4);
  const auto statistics = ReadStatistics(blobs_, task.statistics(), kShards).value();
  for (int i = 0; i < 4; ++i) {
    const v1::LinearReport& report = result->linears(i);
    EXPECT_EQ(report.name(), task.linears(i).name());
    const QuantizedLinear& linear = stored[static_cast<size_t>(i)];
    ASSERT_EQ(linear.name, report.name());
    const at::Tensor weight = source_->Load(linear.name + ".weight", c10::kFloat).value();
    const std::vector<float> original(weight.const_data_ptr<float>(),
                                      weight.const_data_ptr<float>() + weight.numel());
    std::vector<float> error = Dequantize(linear);
    double squared_error = 0;
    double squared_weight = 0;
    for (size_t k = 0; k < error.size(); ++k) {
      error[k] -= original[k];
      squared_error += static_cast<double>(error[k]) * error[k];
      squared_weight += static_cast<double>(original[k]) * original[k];
    }
    const at::Tensor moments = statistics.at(*ParseLinearInput(task.linears(i).input())).second_moment;
    const double relative =
        Energy(error, linear.out_features, moments) / Energy(original, linear.out_features, moments);
    EXPECT_NEAR(report.relative_error(), relative, 1e-4 * relative);
    EXPECT_NEAR(report.weight_error(), squared_error / squared_weight, 1e-6);
    EXPECT_GT(report.relative_error(), 0);
    EXPECT_EQ(report.out_features(), linear.out_features);
    EXPECT_EQ(report.in_features(), linear.in_features);
    EXPECT_EQ(report.scheme().group_size(), 32);
    EXPECT_EQ(report.damping(), 0.01);
    EXPECT_TRUE(report.has_mean_shrink());
    EXPECT_EQ(report.token_count(), kSequences * kLength);
  }
}

TEST_F(QuantizeTaskTest, EqualTasksGiveEqualBytes) {
  const v1::QuantizeTask task = AttentionTask();
  EXPECT_EQ(Quantize(task)->outputs(0).digest().sha256(), Quantize(task)->outputs(0).digest().sha256());
}

TEST_F(QuantizeTaskTest, UnitsSurviveAPowerCut) {
  const auto result = Quantize(AttentionTask());
  ASSERT_TRUE(result.ok()) << result.status();
  blobs_.DropVolatile();
  EXPECT_EQ(StoredLinears(*result).size(), 4u);
}

TEST_F(QuantizeTaskTest, RtnNeedsNoCalibrationAndThenReportsNoOutputError) {
  context_.mutable_method()->mutable_rtn();
  scheme_.set_symmetric(true);
  scheme_.set_group_size(-1);
  v1::QuantizeTask task = AttentionTask();
  task.clear_statistics();
  const auto result = Quantize(task);
  ASSERT_TRUE(result.ok()) << result.status();
  for (const v1::LinearReport& report : result->linears()) {
    EXPECT_FALSE(report.has_relative_error());
    EXPECT_FALSE(report.has_damping());
    EXPECT_GT(report.weight_error(), 0);
    EXPECT_LT(report.weight_error(), 0.02);
  }
  for (const QuantizedLinear& linear : StoredLinears(*result)) EXPECT_TRUE(linear.scheme.symmetric);
}

TEST_F(QuantizeTaskTest, GptqWithoutCalibrationIsRefused) {
  v1::QuantizeTask task = AttentionTask();
  task.clear_statistics();
  EXPECT_TRUE(HasReason(Quantize(task).status(), Reason::kCalibrationRequired));
}

TEST_F(QuantizeTaskTest, LinearTheBlockDoesNotHaveIsAnErrorNamingIt) {
  v1::QuantizeTask task = AttentionTask();
  task.mutable_linears(0)->set_name("model.layers.0.self_attn.q_proj");
  const absl::Status other_block = Quantize(task).status();
  EXPECT_TRUE(HasReason(other_block, Reason::kInternal));
  EXPECT_THAT(std::string(other_block.message()), HasSubstr("model.layers.0.self_attn.q_proj"));
  task = AttentionTask();
  task.mutable_linears(0)->set_input("mlp_in");
  EXPECT_TRUE(HasReason(Quantize(task).status(), Reason::kInternal));
  task.set_block(2);
  EXPECT_TRUE(HasReason(Quantize(task).status(), Reason::kInternal));
}

TEST_F(QuantizeTaskTest, GroupSizeThatDoesNotDivideIsRefused) {
  v1::QuantizeTask task = AttentionTask();
  task.mutable_linears(1)->mutable_scheme()->set_group_size(48);
  EXPECT_TRUE(HasReason(Quantize(task).status(), Reason::kGroupSizeIndivisible));
}

TEST_F(QuantizeTaskTest, EnergiesThatWereCountedAreNotThoseOfWeightsInOtherBases) {
  const auto tenfold = AttentionTaskWith([](LayerStatistics& layer) {
    for (auto& [role, energy] : layer.output_energies) energy *= 10;
  });
  const auto error = [&](const v1::QuantizeTask& task) {
    return Quantize(task)->linears(0).relative_error();
  };
  EXPECT_NEAR(error(AttentionTask()) / error(tenfold), 10, 1e-9);
  context_.mutable_method()->mutable_awq()->set_steps(2);
  EXPECT_EQ(error(AttentionTask()), error(tenfold));
}

TEST_F(QuantizeTaskTest, StrictJobsFailWhereOthersWarn) {
  // No input of the unit was ever other than zero.
  const v1::QuantizeTask task =
      AttentionTaskWith([](LayerStatistics& layer) { layer.second_moment.zero_(); });
  const auto warned = Quantize(task);
  ASSERT_TRUE(warned.ok()) << warned.status();
  EXPECT_EQ(warned->linears(0).warnings_size(), 1);
  context_.set_strict(true);
  EXPECT_TRUE(HasReason(Quantize(task).status(), Reason::kNumericalFailure));
}

TEST_F(QuantizeTaskTest, CancellationEndsTheTask) {
  const v1::QuantizeTask task = AttentionTask();
  cancellation_.Cancel();
  EXPECT_TRUE(HasReason(Quantize(task).status(), Reason::kCancelled));
}

}  // namespace
}  // namespace heroq
