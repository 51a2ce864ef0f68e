#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "worker/calibration/layer_statistics.h"
#include "worker/transform/lanczos.h"
#include "worker/transform/spectral_evidence.h"

namespace heroq {

// The ends of the spectrum of H / tokens + 1 % of its mean diagonal: what a quantizer minimises over, for
// whatever damping it asked, so that inputs and methods can be compared.
struct DampedSpectrum {
  Spectrum spectrum;
  double shift = 0;
  int64_t token_count = 0;
};

// Of statistics with tokens and a trace above zero. Deterministic, single-threaded; throws c10::Error.
// NUMERICAL_FAILURE when they are not finite; CANCELLED.
absl::StatusOr<DampedSpectrum> ComputeDampedSpectrum(const LayerStatistics& statistics,
                                                     const Cancellation& cancellation);

// Of an error `error` [rows, in], float32, whose squared output error over all tokens, tr(E H E^T) without
// damping, is `output_error`. Energies are per token. `rows_total` rows the error is a sample of: energy and
// norm are scaled up to them. Throws c10::Error.
SpectralEvidence EvidenceOf(const DampedSpectrum& spectrum, const at::Tensor& error, double output_error,
                            int64_t rows_total);

}  // namespace heroq
