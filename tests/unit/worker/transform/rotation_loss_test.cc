#include "worker/transform/rotation_loss.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/worker/transform/rotation_fixture.h"
#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

using Matrix = std::vector<std::vector<double>>;

Matrix ToMatrix(const at::Tensor& tensor) {
  Matrix matrix(tensor.size(0), std::vector<double>(tensor.size(1)));
  for (int64_t i = 0; i < tensor.size(0); ++i) {
    for (int64_t j = 0; j < tensor.size(1); ++j) matrix[i][j] = tensor[i][j].item<double>();
  }
  return matrix;
}

// The loss by loops over elements. The first call chooses the codes and keeps what rounding added; later ones
// keep that and let values and scales move, which is the function whose derivative is meant.
class PlainLoss {
 public:
  PlainLoss(const RotationProblem& problem, bool root_diagonal)
      : problem_(problem), weight_(ToMatrix(problem.weight)), metric_(ToMatrix(problem.second_moment)) {
    for (size_t i = 0; root_diagonal && i < metric_.size(); ++i) {
      for (size_t j = 0; j < metric_.size(); ++j) metric_[i][j] = i == j ? std::sqrt(metric_[i][i]) : 0;
    }
  }

  double operator()(const at::Tensor& rotations) {
    const int64_t block = rotations.size(1);
    auto entries = rotations.accessor<double, 3>();
    const auto rotation = [&](int64_t i, int64_t j) {
      return i / block == j / block ? entries[problem_.rotation_of_block[i / block]][i % block][j % block]
                                    : 0.0;
    };
    const int64_t columns = problem_.weight.size(1);
    double loss = 0;
    double energy = 0;
    for (size_t row = 0; row < weight_.size(); ++row) {
      std::vector<double> rotated(columns);
      for (int64_t i = 0; i < columns; ++i) {
        for (int64_t j = 0; j < columns; ++j) rotated[j] += weight_[row][i] * rotation(i, j);
      }
      const std::vector<double> rounded = Round(row, rotated);
      std::vector<double> error(columns);
      for (int64_t j = 0; j < columns; ++j) {
        for (int64_t i = 0; i < columns; ++i) error[i] += rounded[j] * rotation(i, j);
      }
      for (int64_t i = 0; i < columns; ++i) error[i] -= weight_[row][i];
      for (int64_t i = 0; i < columns; ++i) {
        for (int64_t j = 0; j < columns; ++j) {
          loss += error[i] * metric_[i][j] * error[j];
          energy += weight_[row][i] * metric_[i][j] * weight_[row][j];
        }
      }
    }
    frozen_ = true;
    return loss / energy;
  }

 private:
  struct Choice {
    bool clamped = false;
    double residual = 0;  // code - z - x / s, or code - z when clamped
  };

  std::vector<double> Round(size_t row, const std::vector<double>& values) {
    const int64_t columns = static_cast<int64_t>(values.size());
    const int64_t length = problem_.scheme.group_length(columns);
    choices_.resize(weight_.size(), std::vector<Choice>(columns));
    std::vector<double> rounded(columns);
    for (int64_t begin = 0; begin < columns; begin += length) {
      const auto [smallest, largest] =
          std::minmax_element(values.begin() + begin, values.begin() + begin + length);
      const double low = std::min(*smallest, 0.0);
      const double high = std::max(*largest, 0.0);
      const bool symmetric = problem_.scheme.symmetric;
      const double levels = problem_.scheme.max_code();
      const double scale = symmetric ? 2 * std::max(high, -low) / levels : (high - low) / levels;
      const double zero = symmetric ? problem_.scheme.middle_code() : std::rint(-low / scale);
      for (int64_t j = begin; j < begin + length; ++j) {
        Choice& choice = choices_[row][j];
        const double position = values[j] / scale;
        if (!frozen_) {
          const double code = std::rint(position * (1 + 1e-6)) + zero;
          choice.clamped = code < 0 || code > levels;
          choice.residual = std::clamp(code, 0.0, levels) - zero - (choice.clamped ? 0 : position);
        }
        rounded[j] = scale * ((choice.clamped ? 0 : position) + choice.residual);
      }
    }
    return rounded;
  }

  const RotationProblem& problem_;
  Matrix weight_;
  Matrix metric_;
  std::vector<std::vector<Choice>> choices_;
  bool frozen_ = false;
};

struct Case {
  int group_size;
  bool symmetric;
  ErrorMetric metric;
  std::vector<int64_t> rotation_of_block;
};

class RotationGradientTest : public ::testing::TestWithParam<Case> {};

TEST_P(RotationGradientTest, LossAndDerivativeAgreeWithLoopsAndFiniteDifferences) {
  RotationProblem problem = OutlierProblem(5, 16, 4, 7);
  problem.scheme.group_size = GetParam().group_size;
  problem.scheme.symmetric = GetParam().symmetric;
  problem.rotation_of_block = GetParam().rotation_of_block;
  const int64_t count =
      1 + *std::max_element(problem.rotation_of_block.begin(), problem.rotation_of_block.end());
  // Not orthogonal: every entry is a free variable.
  const at::Tensor rotations = HadamardRotations(count, 4).add_(NormalTensor({count, 4, 4}, 9), 0.05);
  const RotationLoss loss(problem, 4, GetParam().metric, 100);
  const auto found = loss.Evaluate(rotations, {});
  ASSERT_TRUE(found.ok()) << found.status();

  PlainLoss plain(problem, GetParam().metric == ErrorMetric::kRootDiagonal);
  EXPECT_NEAR(found->loss, plain(rotations), 1e-10 * found->loss);
  constexpr double kStep = 1e-6;
  const double largest = found->by_rotation.abs().max().item<double>();
  for (int64_t k = 0; k < count; ++k) {
    for (int64_t i = 0; i < 16; ++i) {
      at::Tensor moved = rotations.clone();
      moved[k][i / 4][i % 4] += kStep;
      const double above = plain(moved);
      moved[k][i / 4][i % 4] -= 2 * kStep;
      const double difference = (above - plain(moved)) / (2 * kStep);
      EXPECT_NEAR(found->by_rotation[k][i / 4][i % 4].item<double>(), difference, 1e-6 * largest);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    GridsAndSharing, RotationGradientTest,
    ::testing::Values(Case{4, false, ErrorMetric::kOutput, {0, 1, 2, 3}},
                      Case{4, true, ErrorMetric::kOutput, {0, 0, 0, 0}},
                      Case{2, false, ErrorMetric::kRootDiagonal, {0, 0, 1, 1}},
                      Case{8, true, ErrorMetric::kRootDiagonal, {0, 1, 2, 3}},
                      Case{8, false, ErrorMetric::kOutput, {1, 0, 1, 0}},
                      Case{kPerChannel, false, ErrorMetric::kRootDiagonal, {0, 1, 0, 1}}));

TEST(RotationLossTest, AtMostMaxRowsEvenlySpacedRowsCount) {
  const RotationProblem problem = OutlierProblem(7, 16, 2, 3);
  RotationProblem sampled = problem;
  sampled.weight = problem.weight.index_select(0, at::tensor({0, 2, 4}, at::kLong));
  const at::Tensor rotations = HadamardRotations(2, 8);
  const auto all = RotationLoss(sampled, 8, ErrorMetric::kOutput, 3).Evaluate(rotations, {});
  const auto some = RotationLoss(problem, 8, ErrorMetric::kOutput, 3).Evaluate(rotations, {});
  EXPECT_EQ(all->loss, some->loss);
}

TEST(RotationLossTest, PiecesOfRowsAddUp) {
  const OneThreadScope one_thread;
  // Two pieces are 256 rows of 512 inputs and the rest.
  const RotationProblem problem = OutlierProblem(300, 512, 8, 3);
  const at::Tensor rotations = HadamardRotations(8, 64);
  const RotationLoss whole(problem, 64, ErrorMetric::kRootDiagonal, 300);
  const auto found = whole.Evaluate(rotations, {});
  double loss = 0;
  at::Tensor gradient = at::zeros_like(rotations);
  for (const int64_t begin : {0, 100, 200}) {
    RotationProblem part = problem;
    part.weight = problem.weight.slice(0, begin, begin + 100);
    const RotationLoss part_loss(part, 64, ErrorMetric::kRootDiagonal, 300);
    const auto term = part_loss.Evaluate(rotations, {});
    loss += term->loss * part_loss.energy();
    gradient.add_(term->by_rotation, part_loss.energy());
  }
  EXPECT_NEAR(found->loss * whole.energy(), loss, 1e-10 * loss);
  EXPECT_TRUE(at::allclose(found->by_rotation.mul(whole.energy()), gradient, 1e-8, 1e-12));
}

TEST(RotationLossTest, EvaluationStopsWhenCancelled) {
  const RotationProblem problem = OutlierProblem(5, 16, 2, 3);
  const Cancellation cancellation;
  cancellation.Cancel();
  const RotationLoss loss(problem, 8, ErrorMetric::kOutput, 5);
  EXPECT_TRUE(HasReason(loss.Evaluate(HadamardRotations(2, 8), cancellation).status(), Reason::kCancelled));
}

}  // namespace
}  // namespace heroq
