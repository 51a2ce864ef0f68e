#pragma once

#include <map>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/concurrency/cancellation.h"
#include "common/model/model_layout.h"
#include "heroq/v1/report.pb.h"
#include "worker/methods/damped_spectrum.h"
#include "worker/methods/method.h"
#include "worker/quantizer/output_energy.h"

namespace heroq {

// Measures what was stored against what was asked for, for the report. The output error that a solver counted
// is taken from it where the stored bytes bear it out, on rows all over the weight: measuring it on all costs
// as much as solving. Keeps what it needs of each distinct input, so the linears of a unit share it. `work`
// and `cancellation` outlive this. Thread-compatible.
class LinearReporter {
 public:
  // `spectra`: whether how errors meet curvature is measured.
  LinearReporter(const UnitWork& work, bool spectra, const Cancellation& cancellation)
      : work_(work), spectra_(spectra), cancellation_(cancellation) {}

  // `stored` is the weight [out, in] that the bytes stand for that are handed in; `work` and `outcome` are
  // the method's input and account of it. Everything but `scheme` is set. NUMERICAL_FAILURE when statistics
  // are not finite, CANCELLED. Throws c10::Error, std::bad_alloc.
  absl::StatusOr<v1::LinearReport> Report(const LinearWork& linear, std::vector<float> stored,
                                          const LinearOutcome& outcome);

 private:
  // tr(E H E^T), with tr(W H W^T) as `total`.
  static double Lost(const OutputEnergy& energy, absl::Span<const float> error, int64_t rows,
                     absl::Span<const double> row_losses, double total, v1::LinearReport& report);
  const OutputEnergy& EnergyOf(LinearInput input, const LayerStatistics& statistics);
  absl::StatusOr<const DampedSpectrum*> SpectrumOf(LinearInput input, const LayerStatistics& statistics);

  const UnitWork& work_;
  const bool spectra_;
  const Cancellation& cancellation_;
  std::map<LinearInput, OutputEnergy> energies_;
  std::map<LinearInput, DampedSpectrum> spectra_of_;
};

}  // namespace heroq
