#include "coordinator/planning/alpha_rounds.h"

#include <algorithm>

namespace heroq {
namespace {

// Above this candidates are not held, but scored in one round.
constexpr int64_t kMostHeldBytes = int64_t{64} << 20;

}  // namespace

AlphaRounds AlphaRoundsOf(const v1::HeroQParameters& hero_q, int64_t width) {
  AlphaRounds result;
  const int64_t beside = (hero_q.alpha_refinement() > 0 ? 2 : 0) + 1;
  const int64_t finalists = std::max(2, hero_q.alpha_candidates());
  const int64_t held_bytes = hero_q.alphas_size() * width * width / 2 * 4;
  int64_t alive = hero_q.alphas_size();
  int64_t scored = 0;
  int64_t rows = held_bytes > kMostHeldBytes ? hero_q.score_rows() : hero_q.first_score_rows();
  for (; rows < hero_q.score_rows() && alive > finalists; rows *= 2) {
    result.rows += alive * (rows - scored);
    result.held_bytes = held_bytes;
    scored = rows;
    alive = std::max(finalists, (alive + 1) / 2);
  }
  result.rows += alive * (hero_q.score_rows() - scored) + beside * hero_q.score_rows();
  result.bases = hero_q.alphas_size() + beside;
  return result;
}

}  // namespace heroq
