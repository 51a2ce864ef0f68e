#include "coordinator/planning/alpha_rounds.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

v1::HeroQParameters NineAlphas() {
  v1::HeroQParameters hero_q;
  for (int i = 0; i < 9; ++i) hero_q.add_alphas(0.1 * i);
  hero_q.set_alpha_refinement(0.05);
  hero_q.set_first_score_rows(16);
  hero_q.set_score_rows(128);
  return hero_q;
}

TEST(AlphaRoundsTest, ABasisIsQuantizedOnTheRowsItLacks) {
  const AlphaRounds rounds = AlphaRoundsOf(NineAlphas(), 1024);
  EXPECT_EQ(rounds.bases, 9 + 2 + 1);
  // 9 alphas on 16 rows, 5 on 32, 3 on 64, 2 on 128, then the refined ones and the basis as it was.
  EXPECT_EQ(rounds.rows, 9 * 16 + 5 * 16 + 3 * 32 + 2 * 64 + 3 * 128);
  EXPECT_EQ(rounds.held_bytes, 9 * 1024 * 1024 * 2);
}

TEST(AlphaRoundsTest, CandidatesReachTheLastRound) {
  v1::HeroQParameters hero_q = NineAlphas();
  hero_q.set_alpha_candidates(6);
  EXPECT_EQ(AlphaRoundsOf(hero_q, 1024).rows, 9 * 16 + 6 * 112 + 3 * 128);
}

TEST(AlphaRoundsTest, WideInputsAndSmallGridsHaveOneRound) {
  v1::HeroQParameters hero_q = NineAlphas();
  AlphaRounds rounds = AlphaRoundsOf(hero_q, 4096);
  EXPECT_EQ(rounds.rows, 12 * 128);
  EXPECT_EQ(rounds.held_bytes, 0);
  hero_q.clear_alphas();
  hero_q.add_alphas(0.3);
  hero_q.set_alpha_refinement(0);
  rounds = AlphaRoundsOf(hero_q, 1024);
  EXPECT_EQ(rounds.bases, 2);
  EXPECT_EQ(rounds.rows, 2 * 128);
  EXPECT_EQ(rounds.held_bytes, 0);
}

}  // namespace
}  // namespace heroq
