#include "coordinator/validation/rotation_check.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/tensor_checks.h"

namespace heroq {
namespace {

constexpr double kTolerance = 1e-3;

// The largest |R^T R - I|, R = stored / sqrt(size); not a number when an entry is none.
double DistanceFromOrthogonal(const std::vector<float>& stored, size_t size) {
  double largest = 0;
  std::vector<double> product(size);
  for (size_t row = 0; row < size; ++row) {
    std::fill(product.begin(), product.end(), 0.0);
    for (size_t k = 0; k < size; ++k) {
      const double factor = stored[k * size + row];
      for (size_t column = 0; column < size; ++column) product[column] += factor * stored[k * size + column];
    }
    for (size_t column = 0; column < size; ++column) {
      const double entry = product[column] / static_cast<double>(size) - (row == column ? 1.0 : 0.0);
      if (!(std::abs(entry) <= largest)) largest = std::abs(entry);
    }
  }
  return largest;
}

}  // namespace

absl::Status CheckRotations(const DirectoryModel& model, Findings& findings) {
  std::set<std::string> checked;
  for (const RotatedInput& place : model.rotations) {
    if (!checked.insert(place.tensor).second) continue;
    HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, model.tensors->Find(place.tensor));
    HEROQ_ASSIGN_OR_RETURN(const std::vector<float> stored, ReadFloats(entry));
    const double distance = DistanceFromOrthogonal(stored, static_cast<size_t>(place.size));
    findings.Check(distance <= kTolerance, "rotation_not_orthogonal",
                   {place.tensor, BaseName(entry.file->path())},
                   absl::StrCat("R^T R within ", kTolerance, " of the identity"), absl::StrCat(distance));
  }
  return absl::OkStatus();
}

}  // namespace heroq
