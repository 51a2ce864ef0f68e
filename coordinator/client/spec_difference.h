#pragma once

#include <string>
#include <vector>

#include "heroq/v1/job.pb.h"

namespace heroq {

struct SpecDifference {
  std::string field;   // "scheme.weight_bits"
  std::string before;  // as text; "" is unset
  std::string after;
};

// Every field in which two jobs differ, in the order of their field numbers. Lists differ as a whole. Labels
// and priority do not count: they change nothing about the result.
std::vector<SpecDifference> CompareSpecs(const v1::JobSpec& before, const v1::JobSpec& after);

// One line per difference, with the flag where there is one: "  --bits (scheme.weight_bits): 4 -> 3".
std::string FormatDifferences(const std::vector<SpecDifference>& differences);

}  // namespace heroq
