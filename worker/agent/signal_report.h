#pragma once

#include "absl/types/span.h"
#include "heroq/v1/report.pb.h"
#include "worker/methods/method.h"

namespace heroq {

// Sets branch_rank and, of a linear whose activations are quantized and were kept, signal_to_noise_db.
// `linear` is what the method quantized, with the branch it split off; `error` [out, in] is the stored weight
// minus its weight. Throws what LibTorch throws.
void SetSignalToNoise(const LinearWork& linear, const LayerStatistics& statistics,
                      absl::Span<const float> error, v1::LinearReport& report);

}  // namespace heroq
