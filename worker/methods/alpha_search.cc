#include "worker/methods/alpha_search.h"

#include <algorithm>
#include <tuple>

#include "common/status/status_macros.h"

namespace heroq {
namespace {

void SortBestFirst(std::vector<AlphaScore>& scores) {
  std::sort(scores.begin(), scores.end(), [](const AlphaScore& a, const AlphaScore& b) {
    return std::tie(a.loss, a.alpha) < std::tie(b.loss, b.alpha);
  });
}

}  // namespace

absl::StatusOr<AlphaChoice> SearchAlpha(const AlphaGrid& grid, const AlphaLoss& score) {
  AlphaChoice choice;
  const auto score_all = [&](const std::vector<double>& alphas,
                             int64_t rows) -> absl::StatusOr<std::vector<AlphaScore>> {
    std::vector<AlphaScore> scores;
    for (const double alpha : alphas) {
      HEROQ_ASSIGN_OR_RETURN(const double loss, score(alpha, rows));
      choice.curve.push_back(scores.emplace_back(AlphaScore{alpha, loss, rows}));
    }
    SortBestFirst(scores);
    return scores;
  };

  std::vector<double> alive = grid.alphas;
  const size_t finalists = static_cast<size_t>(std::max(2, grid.candidates));
  for (int64_t rows = grid.first_rows; rows < grid.rows && alive.size() > finalists; rows *= 2) {
    HEROQ_ASSIGN_OR_RETURN(std::vector<AlphaScore> scores, score_all(alive, rows));
    scores.resize(std::max(finalists, (scores.size() + 1) / 2));
    alive.clear();
    for (const AlphaScore& kept : scores) alive.push_back(kept.alpha);
    std::sort(alive.begin(), alive.end());
  }
  HEROQ_ASSIGN_OR_RETURN(choice.ranking, score_all(alive, grid.rows));

  if (grid.refine_step > 0) {
    const double center = choice.ranking.front().alpha;
    std::vector<double> beside;
    for (const double alpha : {center - grid.refine_step, center + grid.refine_step}) {
      if (alpha > grid.alphas.front() && alpha < grid.alphas.back()) beside.push_back(alpha);
    }
    HEROQ_ASSIGN_OR_RETURN(const std::vector<AlphaScore> refined, score_all(beside, grid.rows));
    choice.ranking.insert(choice.ranking.end(), refined.begin(), refined.end());
    SortBestFirst(choice.ranking);
  }
  std::sort(choice.curve.begin(), choice.curve.end(), [](const AlphaScore& a, const AlphaScore& b) {
    return std::tie(a.rows, a.alpha) < std::tie(b.rows, b.alpha);
  });
  return choice;
}

}  // namespace heroq
