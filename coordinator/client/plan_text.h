#pragma once

#include <string>

#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

// A plan for people: settings, schemes, what stays as it is and why, costs, warnings. Each line ended.
std::string FormatPlan(const v1::PlanQuantizationJobResponse& response);

}  // namespace heroq
