#pragma once

#include <map>

#include "common/model/model_layout.h"
#include "common/quant/quantized_linear.h"
#include "heroq/v1/report.pb.h"
#include "worker/methods/method.h"
#include "worker/quantizer/output_energy.h"

namespace heroq {

// Measures what was stored against what was asked for, for the report. Keeps what it needs of each distinct
// input, so the linears of a unit share it. `work` outlives this. Thread-compatible.
class LinearReporter {
 public:
  explicit LinearReporter(const UnitWork& work) : work_(work) {}

  // `stored` is the linear read back from the bytes that are handed in; `work` and `outcome` are the method's
  // input and account of it. Everything but `scheme` is set. Throws c10::Error, std::bad_alloc.
  v1::LinearReport Report(const LinearWork& linear, const QuantizedLinear& stored,
                          const LinearOutcome& outcome);

 private:
  const OutputEnergy& EnergyOf(LinearInput input, const LayerStatistics& statistics);

  const UnitWork& work_;
  std::map<LinearInput, OutputEnergy> energies_;
};

}  // namespace heroq
