#pragma once

#include <cstdint>
#include <memory>
#include <variant>

#include "worker/methods/alpha_search.h"
#include "worker/methods/awq_options.h"
#include "worker/methods/gptq_method.h"
#include "worker/methods/method.h"
#include "worker/methods/rtn_method.h"
#include "worker/transform/rotation_learning.h"

namespace heroq {

struct HeroQOptions {
  // Where T may go (numerics section 3).
  enum class Placement {
    // D in norm gains, between value and output projections with a rotation, between up and down projections.
    kNone,
    // The residual stream is rotated already (RotatedWeights), which leaves norm gains of ones and flat
    // second
    // moments behind the norms: only the other two places are searched.
    kFused,
    // D and signs where kNone has D, and one rotation per input that loaders apply at run time.
    kOnline,
    // A transform per linear, mapped back after rounding (mapped_back.h).
    kMappedBack,
  };
  // Of the channels of a value head; with kOnline of the blocks of every input, which share one.
  enum class Rotation { kNone, kHadamard, kRandom, kLearned };

  // What quantizes in the new basis. AWQ scales that basis once more; candidates are scored by its rounding.
  std::variant<GptqOptions, RtnOptions, AwqOptions> base;
  Placement placement = Placement::kFused;
  Rotation rotation = Rotation::kHadamard;
  RotationOptions learning;  // of kLearned, which begins as kHadamard
  // Its rows are of the linears of one input together; a rotation is learned for each of its candidates.
  AlphaGrid alphas;
  uint64_t seed = 0;
  // With kMappedBack: a dense rotation of every input is learned for every alpha.
  bool exact = false;
};

// HeRo-Q (arXiv 2601.21626): quantizes each linear in the basis T = D^-1 R of its input, D =
// diag(h^(alpha/2)), with the alpha that loses least on the base quantizer's own error. T goes where the
// unit's function does not notice (FoldTransform); an input is left as it is where that loses no more. Needs
// statistics of every input and the fields of UnitWork for transforms.
class HeroQMethod : public Method {
 public:
  explicit HeroQMethod(HeroQOptions options);
  absl::StatusOr<QuantizedUnit> Quantize(const UnitWork& work, const Cancellation& cancellation,
                                         const Progress& progress) const override;

 private:
  const HeroQOptions options_;
  const std::unique_ptr<Method> base_;
};

}  // namespace heroq
