#pragma once

#include <cstdint>

#include "heroq/v1/scheme.pb.h"

namespace heroq {

// What the search for alpha of resolved parameters does with one distinct input of `width` channels, as the
// worker does it (worker/methods/alpha_search.h, basis_search.h).
struct AlphaRounds {
  // Bases whose second moments are factored or multiplied: the alphas, those refinement adds, and the basis
  // the input came in.
  int64_t bases = 0;
  // Rows quantized, summed over the bases; a basis that is scored again is so on the rows it lacks.
  int64_t rows = 0;
  // Bytes candidates hold from round to round.
  int64_t held_bytes = 0;
};

AlphaRounds AlphaRoundsOf(const v1::HeroQParameters& hero_q, int64_t width);

}  // namespace heroq
