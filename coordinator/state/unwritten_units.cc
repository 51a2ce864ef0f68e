#include "coordinator/state/unwritten_units.h"

namespace heroq {

std::set<int> UnwrittenUnits(const JobRecord& job) {
  std::set<int> units;
  for (const v1::PlannedFile& file : job.plan->files()) {
    if (job.files.count(file.name()) > 0) continue;
    for (const v1::PlannedTensor& tensor : file.tensors()) {
      if (!tensor.copied()) units.insert(tensor.unit());
    }
  }
  return units;
}

}  // namespace heroq
