#pragma once

#include <cstdint>

namespace heroq {

// A counter-based stream of random numbers: value `i` is a pure function of the key and `i`, so equal keys
// give equal numbers on every machine, whatever ran before. SplitMix64 (Steele, Lea, Flood 2014).
// Thread-safe.
class RandomStream {
 public:
  // The numbers of purpose `purpose` at place (`block`, `step`) of a job with `seed`.
  RandomStream(uint64_t seed, uint64_t purpose, uint64_t block = 0, uint64_t step = 0)
      : key_(Mix(Mix(Mix(Mix(seed) ^ purpose) ^ block) ^ step)) {}

  uint64_t Bits(uint64_t index) const { return Mix(key_ + index * kGamma); }
  // +1 or -1.
  float Sign(uint64_t index) const { return (Bits(index) >> 63) != 0 ? -1.0f : 1.0f; }
  // Uniform in (0, 1).
  double Uniform(uint64_t index) const { return (static_cast<double>(Bits(index) >> 11) + 0.5) * 0x1.0p-53; }

 private:
  static constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;

  static uint64_t Mix(uint64_t value) {
    value += kGamma;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  }

  const uint64_t key_;
};

}  // namespace heroq
