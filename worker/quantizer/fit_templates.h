#pragma once

#include "worker/quantizer/kernel_templates.h"

// DASH-Q's fit of one group, over vector lanes (one row each). Included as kernel_templates.h is.
namespace heroq {
namespace {

// The group a fit works on, and the sums over it that no assignment changes.
template <int kBytes>
struct FitGroup {
  using Vector = typename VectorOf<float, kBytes>::type;

  explicit FitGroup(const SearchScalesArguments& arguments, int64_t lane) : arguments(arguments), lane(lane) {
    Vector weighted = {};
    for (int64_t j = 0; j < arguments.columns; ++j) {
      const Vector w = weight(j);
      low = w < low ? w : low;
      high = w > high ? w : high;
      total += arguments.importance[j];
      weighted += arguments.importance[j] * w;
    }
    mean = weighted / total;
  }

  __attribute__((always_inline)) Vector weight(int64_t j) const {
    return *reinterpret_cast<const Vector*>(arguments.weight + j * kStripRows + lane);
  }

  Vector low = {};   // at most 0
  Vector high = {};  // at least 0
  Vector mean = {};  // sum_j h_j w_j / total
  const SearchScalesArguments& arguments;
  const int64_t lane;
  float total = 0;  // sum_j h_j
};

// A grid w ~ scale (code - zero) under way; `zero` need not be an integer.
template <int kBytes>
struct FitState {
  using Vector = typename VectorOf<float, kBytes>::type;
  Vector scale;
  Vector zero;

  __attribute__((always_inline)) Vector CodeOf(Vector w, Vector inverse, float max_code) const {
    return ClampShifted((w * inverse + zero) + kRoundingShift, max_code) - kRoundingShift;
  }
};

// One round with a free offset z = scale * zero: assign codes, then minimise sum_j h_j (w_j - s q_j + z)^2
// over s and z. Moments are taken about the mean weight and its code, so that float32 does not cancel where a
// few weights have most of the importance. A group whose codes are all equal keeps its grid.
template <int kBytes>
void FitOffset(const FitGroup<kBytes>& group, FitState<kBytes>& state) {
  using Vector = typename VectorOf<float, kBytes>::type;
  const SearchScalesArguments& a = group.arguments;
  const Vector inverse = 1.0f / state.scale;
  const Vector center = state.CodeOf(group.mean, inverse, a.max_code);
  const Vector shifted_center = center + kRoundingShift;
  Vector codes = {};
  Vector squares = {};
  Vector products = {};
  for (int64_t j = 0; j < a.columns; ++j) {
    const Vector w = group.weight(j);
    const Vector code =
        ClampShifted((w * inverse + state.zero) + kRoundingShift, a.max_code) - shifted_center;
    const Vector share = a.importance[j] * code;
    codes += share;
    squares += share * code;
    products += share * (w - group.mean);
  }
  const Vector mean = codes / group.total;
  const Vector variance = squares / group.total - mean * mean;
  const Vector fitted = products / group.total / (variance + a.damping);
  const auto usable = fitted > Vector{};
  const Vector offset = state.scale * state.zero;
  const Vector new_scale = state.scale + a.step * (fitted - state.scale);
  const Vector new_offset = offset + a.step * (fitted * (mean + center) - group.mean - offset);
  state.zero = usable ? new_offset / new_scale : state.zero;
  state.scale = usable ? new_scale : state.scale;
}

// One round with an integer zero point held: assign codes, then s = sum h (q - z) w / sum h (q - z)^2. Gives
// the loss of these codes at that scale, less what no grid changes.
template <int kBytes>
typename VectorOf<float, kBytes>::type FitScaleOnly(const FitGroup<kBytes>& group, FitState<kBytes>& state) {
  using Vector = typename VectorOf<float, kBytes>::type;
  const SearchScalesArguments& a = group.arguments;
  const Vector inverse = 1.0f / state.scale;
  const Vector shifted_zero = state.zero + kRoundingShift;
  Vector products = {};
  Vector squares = {};
  for (int64_t j = 0; j < a.columns; ++j) {
    const Vector w = group.weight(j);
    const Vector level = ClampShifted(w * inverse + shifted_zero, a.max_code) - shifted_zero;
    const Vector share = a.importance[j] * level;
    products += share * w;
    squares += share * level;
  }
  const Vector fitted = products / (squares + a.damping * group.total);
  state.scale = fitted > Vector{} ? state.scale + a.step * (fitted - state.scale) : state.scale;
  return state.scale * (state.scale * squares - 2.0f * products);
}

// As many rounds as asked for, or until one changes no lane: all later ones would give the same.
template <int kBytes, typename Round>
void Fit(Round round, int rounds, const FitGroup<kBytes>& group, FitState<kBytes>& state) {
  for (int i = 0; i < rounds; ++i) {
    const FitState<kBytes> before = state;
    round(group, state);
    if (__builtin_memcmp(&before, &state, sizeof(state)) == 0) return;
  }
}

template <int kBytes>
typename VectorOf<float, kBytes>::type LossOf(const FitGroup<kBytes>& group, const FitState<kBytes>& state) {
  using Vector = typename VectorOf<float, kBytes>::type;
  const SearchScalesArguments& a = group.arguments;
  const Vector inverse = 1.0f / state.scale;
  Vector loss = {};
  for (int64_t j = 0; j < a.columns; ++j) {
    const Vector w = group.weight(j);
    const Vector difference = w - (state.CodeOf(w, inverse, a.max_code) - state.zero) * state.scale;
    loss += a.importance[j] * (difference * difference);
  }
  return loss;
}

// The best grid so far, judged with its scale as it is stored, or used when it is not. The first one is the
// min-max grid.
template <int kBytes>
struct BestFit {
  using Vector = typename VectorOf<float, kBytes>::type;

  BestFit(const FitGroup<kBytes>& group, const FitState<kBytes>& first)
      : group(group), state(first), loss(LossOf(group, first)) {}

  void Consider(FitState<kBytes> candidate) {
    if (!group.arguments.free_offset) {
      candidate.scale = RoundScale<kBytes>(candidate.scale, group.arguments.rounding);
    }
    const Vector found = LossOf(group, candidate);
    const auto better = (found < loss) & (candidate.scale > Vector{});
    state.scale = better ? candidate.scale : state.scale;
    state.zero = better ? candidate.zero : state.zero;
    loss = better ? found : loss;
  }

  const FitGroup<kBytes>& group;
  FitState<kBytes> state;
  Vector loss;
};

// The starts that are worth all rounds: of those that arrived at different grids, the ones of least loss.
template <int kBytes>
struct Shortlist {
  using Vector = typename VectorOf<float, kBytes>::type;
  static constexpr int kPlaces = 6;
  static constexpr float kNone = __builtin_inff();

  explicit Shortlist(const FitState<kBytes>& filler) {
    for (int place = 0; place < kPlaces; ++place) {
      states[place] = filler;
      losses[place] = Vector{} + kNone;
    }
  }

  void Add(FitState<kBytes> state, Vector loss) {
    for (int place = 0; place < kPlaces; ++place) {
      const auto known = (state.scale == states[place].scale) & (state.zero == states[place].zero);
      loss = known ? Vector{} + kNone : loss;
    }
    for (int place = 0; place < kPlaces; ++place) {
      const auto better = loss < losses[place];
      const FitState<kBytes> old = states[place];
      const Vector old_loss = losses[place];
      states[place].scale = better ? state.scale : old.scale;
      states[place].zero = better ? state.zero : old.zero;
      losses[place] = better ? loss : old_loss;
      state.scale = better ? old.scale : state.scale;
      state.zero = better ? old.zero : state.zero;
      loss = better ? old_loss : loss;
    }
  }

  // Whether any lane has a start at this place.
  bool Holds(int place) const { return AnyLane<kBytes>(losses[place] < Vector{} + kNone); }

  FitState<kBytes> states[kPlaces];
  Vector losses[kPlaces];
};

// The rounds of least squares with zero points that can be stored. Every start goes through a few; most
// arrive at the grid of another one or fall behind, and the rest of the rounds is for those that do not.
template <int kBytes>
void FitIntegerZeros(const FitGroup<kBytes>& group, typename VectorOf<float, kBytes>::type base,
                     typename VectorOf<float, kBytes>::type base_zero, BestFit<kBytes>& best) {
  using Vector = typename VectorOf<float, kBytes>::type;
  constexpr int kEntryRounds = 2;
  const SearchScalesArguments& a = group.arguments;
  const int entry_rounds = a.rounds < kEntryRounds ? a.rounds : kEntryRounds;
  // Half of the rounds of whole steps find the zero points that are worth rounds of their own.
  const int offset_rounds = a.step < 1.0f ? a.rounds : (a.rounds + 1) / 2;
  const Vector near_zero = RoundToInteger(Clamp(base_zero, 0.0f, a.max_code));
  Shortlist<kBytes> shortlist({base, near_zero});
  const auto enter = [&](FitState<kBytes> state) {
    Vector loss = {};
    for (int i = 0; i < entry_rounds; ++i) loss = FitScaleOnly(group, state);
    shortlist.Add(state, loss);
  };
  for (int64_t i = 0; i < a.share_count; ++i) {
    const Vector start = base * a.shares[i];
    enter({start, near_zero});
    if (a.symmetric) continue;
    FitState<kBytes> state{start, base_zero};
    Fit(FitOffset<kBytes>, offset_rounds, group, state);
    const Vector near = RoundToInteger(Clamp(state.zero, 0.0f, a.max_code));
    const Vector side = state.zero > near ? Vector{} + 1.0f : Vector{} - 1.0f;
    enter({state.scale, near});
    enter({state.scale, Clamp(near + side, 0.0f, a.max_code)});
  }
  for (int place = 0; place < Shortlist<kBytes>::kPlaces && shortlist.Holds(place); ++place) {
    FitState<kBytes> state = shortlist.states[place];
    Fit(FitScaleOnly<kBytes>, a.rounds - entry_rounds, group, state);
    best.Consider(state);
  }
}

// The rounds with any offset.
template <int kBytes>
void FitFreeOffsets(const FitGroup<kBytes>& group, typename VectorOf<float, kBytes>::type base,
                    typename VectorOf<float, kBytes>::type base_zero, BestFit<kBytes>& best) {
  for (int64_t i = 0; i < group.arguments.share_count; ++i) {
    FitState<kBytes> state{base * group.arguments.shares[i], base_zero};
    best.Consider(state);
    Fit(FitOffset<kBytes>, group.arguments.rounds, group, state);
    best.Consider(state);
  }
}

template <int kBytes>
void FitScales(const SearchScalesArguments& a) {
  using Vector = typename VectorOf<float, kBytes>::type;
  constexpr int kLanes = kBytes / sizeof(float);
  for (int64_t lane = 0; lane < kStripRows; lane += kLanes) {
    const FitGroup<kBytes> group(a, lane);
    const Vector extent = -group.low > group.high ? -group.low : group.high;
    const Vector range = a.symmetric ? extent / (a.max_code / 2) : (group.high - group.low) / a.max_code;
    const auto has_range = RoundScale<kBytes>(range, a.rounding) > Vector{};
    const Vector base = has_range ? range : Vector{} + a.zero_range_scale;
    const Vector middle = Vector{} + a.middle_code;
    const Vector base_zero = a.symmetric ? middle : (has_range ? -group.low / base : middle);
    const Vector near_zero = RoundToInteger(Clamp(base_zero, 0.0f, a.max_code));
    BestFit<kBytes> best(group, {RoundScale<kBytes>(base, a.rounding), near_zero});
    if (a.free_offset) {
      FitFreeOffsets(group, base, base_zero, best);
    } else {
      FitIntegerZeros(group, base, base_zero, best);
    }
    *reinterpret_cast<Vector*>(a.scale + lane) = best.state.scale;
    *reinterpret_cast<Vector*>(a.zero + lane) = best.state.zero;
    *reinterpret_cast<Vector*>(a.chosen + lane) = best.state.scale / base;
  }
}

}  // namespace
}  // namespace heroq
