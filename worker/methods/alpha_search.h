#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/methods/method.h"

namespace heroq {

// Values of alpha to score, and on how many rows.
struct AlphaGrid {
  std::vector<double> alphas;  // increasing, in [0, 1], at least one
  // After the grid: this far on both sides of the best, when it lies inside the grid's range; 0 is no
  // refinement.
  double refine_step = 0;
  // All alphas are scored on first_rows rows, the better half of them on twice as many, and so on up to
  // `rows`; those two alike score every alpha on all rows.
  int64_t first_rows = 128;
  int64_t rows = 128;
  // How many of the best ones are wanted. At least as many, and never fewer than two, reach `rows`.
  int candidates = 1;
};

struct AlphaChoice {
  // Those scored on all rows, best first, the smaller alpha on ties: at least `candidates` of them, or all
  // there are.
  std::vector<AlphaScore> ranking;
  // Every score, by rows, then alpha.
  std::vector<AlphaScore> curve;
};

// Successive halving over the grid, then refinement around the best. `score` is called once per alpha and
// number of rows, with rising rows for an alpha; its losses on equal rows must be comparable. A pure function
// of what `score` returns, whose errors end it.
using AlphaLoss = std::function<absl::StatusOr<double>(double alpha, int64_t rows)>;
absl::StatusOr<AlphaChoice> SearchAlpha(const AlphaGrid& grid, const AlphaLoss& score);

}  // namespace heroq
