#include "worker/methods/rtn_method.h"

#include "worker/methods/unit_rounding.h"

namespace heroq {

absl::StatusOr<QuantizedUnit> RtnMethod::Quantize(const UnitWork& work, const Cancellation& cancellation,
                                                  const Progress& progress) const {
  const GridSearch search = options_.scale_search ? GridSearch::kShrink : GridSearch::kMinMax;
  return RoundUnit(work, {"rtn", {search}, false}, cancellation, progress);
}

}  // namespace heroq
