#include "worker/methods/awq_method.h"

#include "worker/methods/hero_q_method.h"

namespace heroq {
namespace {

// More change the choice little, and a row costs as much for every ratio as solving it once.
constexpr int64_t kScoreRows = 512;

}  // namespace

std::unique_ptr<Method> MakeAwqMethod(const AwqOptions& options) {
  HeroQOptions diagonal;
  diagonal.base = RtnOptions{options.scale_search};
  diagonal.placement = HeroQOptions::Placement::kNone;
  diagonal.rotation = HeroQOptions::Rotation::kNone;
  diagonal.alphas.first_rows = diagonal.alphas.rows = kScoreRows;
  for (int step = 0; step < options.steps; ++step) {
    diagonal.alphas.alphas.push_back(static_cast<double>(step) / options.steps);
  }
  return std::make_unique<HeroQMethod>(std::move(diagonal));
}

}  // namespace heroq
