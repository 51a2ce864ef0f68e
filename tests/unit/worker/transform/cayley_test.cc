#include "worker/transform/cayley.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/worker/transform/rotation_fixture.h"
#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

TEST(CayleyDescentTest, TwoHundredStepsKeepTheMatricesOrthogonal) {
  const OneThreadScope one_thread;
  CayleyDescent descent(HadamardRotations(2, 32), 0.9);
  for (int step = 0; step < 200; ++step) descent.Step(NormalTensor({2, 32, 32}, step), 1.0);
  EXPECT_LE(DistanceFromOrthogonal(descent.rotations()), 1e-12);
  EXPECT_LE(DistanceFromOrthogonal(OrthogonalPart(descent.rotations()).to(at::kFloat)), 1e-6);
}

TEST(CayleyDescentTest, AStepInThePlaneTurnsByTheAngleOfTheCayleyTransform) {
  // L = R_01 falls along -R_01: R = [[cos t, -sin t], [sin t, cos t]]. |V|_F = sqrt(2) |v|, so length l gives
  // v t / 2 = l / (2 sqrt(2)) and an angle of 2 atan(l / (2 sqrt(2))).
  CayleyDescent descent(at::eye(2, at::kDouble).unsqueeze(0), 0.9);
  at::Tensor gradient = at::zeros_like(descent.rotations());
  gradient[0][0][1] = 5;
  descent.Step(gradient, 0.3);
  const double angle = 2 * std::atan(0.3 / (2 * std::sqrt(2.0)));
  EXPECT_NEAR(descent.rotations()[0][0][1].item<double>(), -std::sin(angle), 1e-15);
  EXPECT_NEAR(descent.rotations()[0][0][0].item<double>(), std::cos(angle), 1e-15);
}

TEST(CayleyDescentTest, DescentReachesTheNearestRotationToATarget) {
  const OneThreadScope one_thread;
  // Maximising tr(R^T T) for T orthogonal: R = T. T is a rotation by about half a radian.
  const at::Tensor skew = NormalTensor({1, 8, 8}, 3).mul_(0.1);
  CayleyDescent target(at::eye(8, at::kDouble).unsqueeze(0), 0);
  target.Step(skew, 1.0);
  CayleyDescent descent(at::eye(8, at::kDouble).unsqueeze(0), 0.5);
  for (int step = 0; step < 100; ++step) descent.Step(target.rotations().neg(), 0.1 * (1 - step / 100.0));
  const at::Tensor distance = at::linalg_vector_norm(descent.rotations().sub(target.rotations()));
  EXPECT_LE(distance.item<double>(), 5e-3);
}

TEST(CayleyDescentTest, ARotationWithoutGradientStaysWhereItIs) {
  CayleyDescent descent(HadamardRotations(1, 4), 0.9);
  descent.Step(at::zeros_like(descent.rotations()), 0.5);
  EXPECT_TRUE(descent.rotations().equal(HadamardRotations(1, 4)));
}

TEST(OrthogonalPartTest, RemovesWhatFloat32Rounded) {
  const OneThreadScope one_thread;
  CayleyDescent descent(HadamardRotations(1, 64), 0);
  descent.Step(NormalTensor({1, 64, 64}, 1), 2.0);
  const at::Tensor rounded = descent.rotations().to(at::kFloat).mul(1 + 3e-5);
  EXPECT_GE(DistanceFromOrthogonal(rounded), 1e-5);
  EXPECT_LE(DistanceFromOrthogonal(OrthogonalPart(rounded)), 1e-13);
}

}  // namespace
}  // namespace heroq
