#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "heroq/v1/scheme.pb.h"

namespace heroq {

struct MethodParameter {
  std::string name;  // of the proto field; "gptq.damping" of a method inside a method
  std::variant<bool, int64_t, double, std::string> value;  // enums in lower case, lists joined
};

// What is written about a method: in digests, reports, manifests and model cards.
struct MethodDescription {
  // As on the command line: "gptq", "dash-q". Empty when no method is set.
  std::string name;
  // The fields that are set, by field number: of a resolved job, all of them.
  std::vector<MethodParameter> parameters;
};

MethodDescription DescribeMethod(const v1::MethodSpec& method);

// As on the command line: "fused".
std::string TransformName(v1::Transform transform);

// Selects the method of that name with no parameter set, unless it is selected already. False when there is
// no such method.
bool SelectMethod(const std::string& name, v1::MethodSpec& method);

// Every name, in the order of the proto.
std::vector<std::string> KnownMethods();

}  // namespace heroq
