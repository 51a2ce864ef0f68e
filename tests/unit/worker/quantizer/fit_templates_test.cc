#include "worker/quantizer/fit_templates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tests/unit/worker/quantizer/random_problem.h"
#include "worker/quantizer/aligned_buffer.h"

namespace heroq {
namespace {

constexpr int kBytes = 16;
constexpr int kLanes = 4;
constexpr int64_t kColumns = 32;

// A group of four rows, packed as kernels take it.
struct Group {
  explicit Group(int bits) : problem(MakeProblem(kLanes, kColumns, 60, 5)), importance(problem.Diagonal()) {
    for (int64_t row = 0; row < kLanes; ++row) {
      for (int64_t j = 0; j < kColumns; ++j) strip[j * kStripRows + row] = problem.weight[row * kColumns + j];
    }
    arguments.columns = kColumns;
    arguments.weight = strip.data();
    arguments.importance = importance.data();
    arguments.max_code = static_cast<float>((1 << bits) - 1);
    arguments.step = 1;
  }

  // In float64, with nothing stored or rounded but the codes.
  double Loss(const FitState<kBytes>& state, int lane) const {
    double sum = 0;
    for (int64_t j = 0; j < kColumns; ++j) {
      const double w = problem.weight[lane * kColumns + j];
      const double scale = state.scale[lane];
      const double zero = state.zero[lane];
      const double code =
          std::clamp(std::nearbyint(w / scale + zero), 0.0, static_cast<double>(arguments.max_code));
      sum += importance[j] * (w - scale * (code - zero)) * (w - scale * (code - zero));
    }
    return sum;
  }

  RandomProblem problem;
  std::vector<float> importance;
  AlignedBuffer<float> strip{kColumns * kStripRows};
  SearchScalesArguments arguments{};
};

// Nine rounds from the min-max range; `zero` below 0 takes the min-max offset.
template <typename Round>
void ExpectMonotone(Round round, int bits, float zero) {
  const Group problem(bits);
  const FitGroup<kBytes> group(problem.arguments, 0);
  FitState<kBytes> state{(group.high - group.low) / problem.arguments.max_code, {}};
  state.zero = zero >= 0 ? state.zero + zero : -group.low / state.scale;
  const FitState<kBytes> start = state;
  for (int i = 0; i < 9; ++i) {
    const FitState<kBytes> before = state;
    round(group, state);
    for (int lane = 0; lane < kLanes; ++lane) {
      EXPECT_LE(problem.Loss(state, lane), problem.Loss(before, lane) * (1 + 1e-5)) << bits << " " << i;
    }
  }
  for (int lane = 0; lane < kLanes; ++lane)
    EXPECT_LT(problem.Loss(state, lane), problem.Loss(start, lane)) << bits;
}

TEST(FitTemplatesTest, UndampedRoundsNeverRaiseTheLoss) {
  for (const int bits : {2, 3, 4, 8}) {
    ExpectMonotone(FitOffset<kBytes>, bits, -1);
    ExpectMonotone(FitScaleOnly<kBytes>, bits, static_cast<float>(1 << (bits - 1)));
  }
}

// One round in float64 from the equations: s = Cov_h(w, q) / (Var_h(q) + lambda), z = s mean_h(q) -
// mean_h(w), and the share `step` of the way there.
void ExpectRoundOfEquations(Group problem, float step, float damping) {
  problem.arguments.step = step;
  problem.arguments.damping = damping;
  const float max_code = problem.arguments.max_code;
  const FitGroup<kBytes> group(problem.arguments, 0);
  FitState<kBytes> state{(group.high - group.low) / max_code, {}};
  state.zero = -group.low / state.scale;
  const FitState<kBytes> before = state;
  FitOffset(group, state);
  for (int lane = 0; lane < kLanes; ++lane) {
    double total = 0, mean_w = 0, mean_q = 0, product = 0, square = 0;
    for (int64_t j = 0; j < kColumns; ++j) {
      const double h = problem.importance[j];
      const double w = problem.problem.weight[lane * kColumns + j];
      const double q =
          std::clamp(std::nearbyint(w / before.scale[lane] + before.zero[lane]), 0.0, double{max_code});
      total += h;
      mean_w += h * w;
      mean_q += h * q;
      product += h * w * q;
      square += h * q * q;
    }
    mean_w /= total;
    mean_q /= total;
    const double fitted = (product / total - mean_w * mean_q) / (square / total - mean_q * mean_q + damping);
    const double old_offset = static_cast<double>(before.scale[lane]) * before.zero[lane];
    const double scale = before.scale[lane] + step * (fitted - before.scale[lane]);
    const double offset = old_offset + step * (fitted * mean_q - mean_w - old_offset);
    EXPECT_NEAR(state.scale[lane], scale, 1e-5 * scale);
    EXPECT_NEAR(state.zero[lane], offset / scale, 1e-4);
  }
}

TEST(FitTemplatesTest, RoundIsTheWeightedLeastSquaresOfTheEquations) {
  ExpectRoundOfEquations(Group(3), 1, 0);
  ExpectRoundOfEquations(Group(3), 0.5f, 0.01f);
}

TEST(FitTemplatesTest, OneWeightOfNearlyAllImportanceLeavesTheFitExact) {
  // E q^2 - (E q)^2 of raw codes near 200 would be noise in float32.
  Group problem(8);
  std::fill(problem.importance.begin(), problem.importance.end(), 1e-6f);
  problem.importance[3] = 1;
  for (int64_t row = 0; row < kLanes; ++row) {
    problem.strip[3 * kStripRows + row] = problem.problem.weight[row * kColumns + 3] = 0.1f;
  }
  ExpectRoundOfEquations(std::move(problem), 1, 0);
}

TEST(FitTemplatesTest, GroupOfOneCodeKeepsItsGrid) {
  Group problem(2);
  for (int64_t i = 0; i < kColumns * kStripRows; ++i)
    problem.strip[i] = 0.7f + 1e-4f * static_cast<float>(i % 7);
  const FitGroup<kBytes> group(problem.arguments, 0);
  FitState<kBytes> state{FitGroup<kBytes>::Vector{} + 0.5f, FitGroup<kBytes>::Vector{} + 0.9f};
  FitOffset(group, state);
  EXPECT_EQ(state.scale[0], 0.5f);
  EXPECT_EQ(state.zero[0], 0.9f);
}

FitState<kBytes> StateOf(float scale, float zero) {
  return {FitState<kBytes>::Vector{} + scale, FitState<kBytes>::Vector{} + zero};
}

TEST(FitTemplatesTest, ShortlistKeepsTheLeastLossesOfDifferentGrids) {
  using List = Shortlist<kBytes>;
  List list(StateOf(1, 0));
  EXPECT_FALSE(list.Holds(0));
  // One grid more than there are places, worst first, each arriving twice.
  for (int i = List::kPlaces; i >= 0; --i) {
    for (int time = 0; time < 2; ++time)
      list.Add(StateOf(2.0f + static_cast<float>(i), 3), FitState<kBytes>::Vector{} + static_cast<float>(i));
  }
  for (int place = 0; place < List::kPlaces; ++place) {
    EXPECT_TRUE(list.Holds(place));
    EXPECT_EQ(list.states[place].scale[1], 2.0f + static_cast<float>(place));
    EXPECT_EQ(list.states[place].zero[1], 3);
    EXPECT_EQ(list.losses[place][1], static_cast<float>(place));
  }
}

TEST(FitTemplatesTest, ShortlistComparesEveryLaneForItself) {
  using List = Shortlist<kBytes>;
  List list(StateOf(1, 0));
  FitState<kBytes>::Vector loss = FitState<kBytes>::Vector{} + 1.0f;
  list.Add(StateOf(2, 3), loss);
  loss[2] = 0.5f;
  loss[3] = 2;
  FitState<kBytes> other = StateOf(4, 3);
  other.scale[1] = 2;  // the same grid as before in this lane
  list.Add(other, loss);
  EXPECT_EQ(list.states[0].scale[2], 4);
  EXPECT_EQ(list.states[0].scale[3], 2);
  EXPECT_EQ(list.states[1].scale[3], 4);
  EXPECT_EQ(list.losses[1][1], List::kNone);
}

TEST(FitTemplatesTest, LossOfARoundIsThatOfItsCodesAtTheNewScale) {
  const Group problem(3);
  const FitGroup<kBytes> group(problem.arguments, 0);
  FitState<kBytes> state{(group.high - group.low) / problem.arguments.max_code, {}};
  state.zero += 4;
  for (int i = 0; i < 20; ++i) FitScaleOnly(group, state);  // codes are those of the scale from here on
  const FitState<kBytes>::Vector loss = FitScaleOnly(group, state);
  for (int lane = 0; lane < kLanes; ++lane) {
    double energy = 0;
    for (int64_t j = 0; j < kColumns; ++j) {
      const double w = problem.problem.weight[lane * kColumns + j];
      energy += problem.importance[j] * w * w;
    }
    EXPECT_NEAR(loss[lane], problem.Loss(state, lane) - energy, 1e-5 * energy);
  }
}

}  // namespace
}  // namespace heroq
