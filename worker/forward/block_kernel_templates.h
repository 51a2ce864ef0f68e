#pragma once

#include <utility>

#include "worker/forward/block_kernels.h"

// The kernels, written once over GCC vector extensions of kLanes floats. Included only by
// block_kernels_<isa>.cc, each compiled with the flags of its instruction set; everything has internal
// linkage so that no variant can replace another at link time.
namespace heroq {
namespace {

template <typename T, int kLanes>
struct VectorOf {
  typedef T type __attribute__((vector_size(sizeof(T) * kLanes)));
};

template <int kLanes>
struct Lanes {
  using Floats = typename VectorOf<float, kLanes>::type;
  using Words = typename VectorOf<uint32_t, kLanes>::type;
  using Halves = typename VectorOf<uint16_t, kLanes>::type;

  // memcpy: neither alignment nor element type is given.
  static Floats LoadFloats(const float* from) {
    Floats value;
    __builtin_memcpy(&value, from, sizeof(value));
    return value;
  }
  static void StoreFloats(Floats value, float* to) { __builtin_memcpy(to, &value, sizeof(value)); }

  static Floats Load(const uint16_t* from) {
    Halves bits;
    __builtin_memcpy(&bits, from, sizeof(bits));
    return reinterpret_cast<Floats>(__builtin_convertvector(bits, Words) << 16);
  }

  // To nearest even, still float32. NaN stays NaN: the low halves of those that arise from bfloat16 values
  // and of the processor's own are zero, and nothing carries.
  static Words RoundedBits(Floats value) {
    const Words bits = reinterpret_cast<Words>(value);
    return bits + 0x7fff + ((bits >> 16) & 1);
  }
  static Floats Round(Floats value) { return reinterpret_cast<Floats>(RoundedBits(value) & 0xffff0000u); }
  static void Store(Floats value, uint16_t* to) {
    const Halves bits = __builtin_convertvector(RoundedBits(value) >> 16, Halves);
    __builtin_memcpy(to, &bits, sizeof(bits));
  }

  static Words Index() {
    Words index;
    for (uint32_t lane = 0; lane < kLanes; ++lane) index[lane] = lane;
    return index;
  }
  // `value` of the first `count` lanes, `other` of the rest.
  static Floats First(int64_t count, Floats value, Floats other) {
    return Index() < Words{} + static_cast<uint32_t>(count) ? value : other;
  }

  static Floats Larger(Floats a, Floats b) { return a > b ? a : b; }

  // Lane i is lane i + kWidth of `value`, round the end.
  template <int kWidth, int... kLane>
  static Floats Turn(Floats value, std::integer_sequence<int, kLane...> /*lanes*/) {
    return __builtin_shufflevector(value, value, ((kLane + kWidth) % kLanes)...);
  }
  // Of halves, quarters and so on, down to one lane.
  template <int kWidth = kLanes / 2, typename Combine>
  static float Reduce(Floats value, const Combine& combine) {
    value = combine(value, Turn<kWidth>(value, std::make_integer_sequence<int, kLanes>()));
    if constexpr (kWidth > 1) {
      return Reduce<kWidth / 2>(value, combine);
    } else {
      return value[0];
    }
  }
  static float Sum(Floats value) {
    return Reduce(value, [](Floats a, Floats b) { return a + b; });
  }

  // Within 2 units of the last place for -86 <= x <= 88, clamped beyond; NaN of NaN. 2^n p(r) with n = x /
  // ln 2 rounded and p the Taylor polynomial of e^r, |r| <= ln 2 / 2: the first term left out is below 2^-24.
  static Floats Exp(Floats x) {
    const Floats low = Floats{} - 86.0f, high = Floats{} + 88.0f;
    x = x < low ? low : x;
    x = x > high ? high : x;
    // Adding 1.5 * 2^23 rounds to an integer and leaves it in the lowest bits.
    const Floats shifted = x * 1.44269504f + 12582912.0f;
    const Floats n = shifted - 12582912.0f;
    // ln 2 in two parts: products of the first with integers are exact.
    const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    Floats p = r * (1.0f / 5040) + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p * reinterpret_cast<Floats>((reinterpret_cast<Words>(shifted) << 23) + (127u << 23));
  }
};

// `body(index, size)` of every vector; the last may have fewer elements.
template <int kLanes, typename Body>
void ForVectors(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) body(i, kLanes);
  if (i < count) body(i, static_cast<int>(count - i));
}

template <int kLanes>
typename Lanes<kLanes>::Floats LoadPart(const uint16_t* from, int size) {
  using L = Lanes<kLanes>;
  if (size == kLanes) return L::Load(from);
  uint16_t padded[kLanes] = {};
  for (int i = 0; i < size; ++i) padded[i] = from[i];
  return L::Load(padded);
}

template <int kLanes>
void StorePart(typename Lanes<kLanes>::Floats value, int size, uint16_t* to) {
  using L = Lanes<kLanes>;
  if (size == kLanes) return L::Store(value, to);
  uint16_t padded[kLanes];
  L::Store(value, padded);
  for (int i = 0; i < size; ++i) to[i] = padded[i];
}

template <int kLanes>
float SumOfSquares(const uint16_t* x, int64_t count) {
  using L = Lanes<kLanes>;
  typename L::Floats sum = {}, other = {};
  int64_t pairs = 0;
  for (; pairs + 2 * kLanes <= count; pairs += 2 * kLanes) {
    const typename L::Floats first = L::Load(x + pairs), second = L::Load(x + pairs + kLanes);
    sum += first * first;
    other += second * second;
  }
  ForVectors<kLanes>(count - pairs, [&](int64_t i, int size) {
    const typename L::Floats value = LoadPart<kLanes>(x + pairs + i, size);
    sum += value * value;
  });
  return L::Sum(sum + other);
}

template <int kLanes>
void RmsNorm(const uint16_t* x, const uint16_t* gain, float epsilon, int64_t width, uint16_t* out) {
  using L = Lanes<kLanes>;
  const float mean = SumOfSquares<kLanes>(x, width) / static_cast<float>(width);
  const float scale = 1.0f / __builtin_sqrtf(mean + epsilon);
  ForVectors<kLanes>(width, [&](int64_t i, int size) {
    const typename L::Floats normed = L::Round(LoadPart<kLanes>(x + i, size) * scale);
    StorePart<kLanes>(normed * LoadPart<kLanes>(gain + i, size), size, out + i);
  });
}

template <int kLanes>
void SiluMultiply(const uint16_t* gate, const uint16_t* up, int64_t count, uint16_t* out) {
  using L = Lanes<kLanes>;
  ForVectors<kLanes>(count, [&](int64_t i, int size) {
    const typename L::Floats g = LoadPart<kLanes>(gate + i, size);
    const typename L::Floats silu = L::Round(g / (1.0f + L::Exp(-g)));
    StorePart<kLanes>(silu * LoadPart<kLanes>(up + i, size), size, out + i);
  });
}

template <int kLanes>
void Rotate(const uint16_t* cosine, const uint16_t* sine, int64_t half, uint16_t* head) {
  using L = Lanes<kLanes>;
  ForVectors<kLanes>(half, [&](int64_t i, int size) {
    const typename L::Floats a = LoadPart<kLanes>(head + i, size);
    const typename L::Floats b = LoadPart<kLanes>(head + half + i, size);
    const typename L::Floats c = LoadPart<kLanes>(cosine + i, size);
    const typename L::Floats s = LoadPart<kLanes>(sine + i, size);
    StorePart<kLanes>(L::Round(a * c) - b * s, size, head + i);
    StorePart<kLanes>(L::Round(b * c) + a * s, size, head + half + i);
  });
}

// Weights by `store(index, vector)`, which is given them in order.
template <int kLanes, typename Store>
float Softmax(const float* scores, float scale, int64_t valid, int64_t width, const Store& store) {
  using L = Lanes<kLanes>;
  using Floats = typename L::Floats;
  Floats most = Floats{} + scores[0], other = most;
  int64_t i = 0;
  for (; i + 2 * kLanes <= valid; i += 2 * kLanes) {
    most = L::Larger(L::LoadFloats(scores + i), most);
    other = L::Larger(L::LoadFloats(scores + i + kLanes), other);
  }
  for (; i < valid; i += kLanes) {
    other = L::Larger(L::First(valid - i, L::LoadFloats(scores + i), most), other);
  }
  const float shift =
      scale * L::Reduce(L::Larger(most, other), [](Floats a, Floats b) { return L::Larger(a, b); });

  Floats sum = {};
  for (i = 0; i + kLanes <= valid; i += kLanes) {
    const Floats weight = L::Exp(L::LoadFloats(scores + i) * scale - shift);
    sum += weight;
    store(i, weight);
  }
  if (i < valid) {
    const Floats weight = L::First(valid - i, L::Exp(L::LoadFloats(scores + i) * scale - shift), Floats{});
    sum += weight;
    store(i, weight);
    i += kLanes;
  }
  for (; i < width; i += kLanes) store(i, Floats{});
  return L::Sum(sum);
}

template <int kLanes>
float SoftmaxBf16(float* scores, float scale, int64_t valid, int64_t width, uint16_t* weights) {
  using L = Lanes<kLanes>;
  return Softmax<kLanes>(scores, scale, valid, width,
                         [&](int64_t i, typename L::Floats value) { L::Store(value, weights + i); });
}

template <int kLanes>
float SoftmaxF32(float* scores, float scale, int64_t valid, int64_t width) {
  using L = Lanes<kLanes>;
  return Softmax<kLanes>(scores, scale, valid, width,
                         [&](int64_t i, typename L::Floats value) { L::StoreFloats(value, scores + i); });
}

template <int kLanes>
void ScaleToBf16(const float* x, float scale, int64_t count, uint16_t* out) {
  using L = Lanes<kLanes>;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) L::Store(L::LoadFloats(x + i) * scale, out + i);
  if (i == count) return;
  float padded[kLanes] = {};
  for (int64_t j = i; j < count; ++j) padded[j - i] = x[j];
  StorePart<kLanes>(L::LoadFloats(padded) * scale, static_cast<int>(count - i), out + i);
}

template <int kLanes>
constexpr BlockKernels kBlockKernels = {RmsNorm<kLanes>,     SiluMultiply<kLanes>, Rotate<kLanes>,
                                        SoftmaxBf16<kLanes>, SoftmaxF32<kLanes>,   ScaleToBf16<kLanes>,
                                        SumOfSquares<kLanes>};

}  // namespace
}  // namespace heroq
