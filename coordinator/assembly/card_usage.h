#pragma once

#include <string>

#include "heroq/v1/plan.pb.h"

namespace heroq {

// The section of a model card that says how to load what `plan` publishes, with "PATH" for the directory. A
// checkpoint whose inputs loaders have to rotate comes with the lines that make transformers do it: tests run
// the Python block of a published card as it is. Pure.
std::string CardUsage(const v1::Plan& plan);

}  // namespace heroq
