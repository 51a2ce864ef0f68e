#pragma once

#include <string>

#include "heroq/v1/scheme.pb.h"

namespace heroq {

// Methods inside of methods: a method that changes weights or bases before others quantize them has a oneof
// "base" for those. Pure.

// Parameters of a method or of its base. `parameters` is null when the method is, or has, none of that kind.
template <typename Parameters>
struct MethodPart {
  Parameters* parameters = nullptr;
  std::string field;  // from the job: "method.gptq", "method.hero_q.gptq"
};

// A method with a base that is unset has gptq, which is set then.
MethodPart<v1::GptqParameters> FindGptq(v1::MethodSpec& method);
MethodPart<v1::RtnParameters> FindRtn(v1::MethodSpec& method);
MethodPart<v1::AwqParameters> FindAwq(v1::MethodSpec& method);

// Selects the base of that name with no parameter set, unless it is selected already. False when the method
// has no such base.
bool SelectBase(const std::string& name, v1::MethodSpec& method);

}  // namespace heroq
