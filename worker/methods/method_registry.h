#pragma once

#include <memory>
#include <variant>

#include "worker/methods/arhq_method.h"
#include "worker/methods/awq_options.h"
#include "worker/methods/dash_q_method.h"
#include "worker/methods/gptq_method.h"
#include "worker/methods/hero_q_method.h"
#include "worker/methods/method.h"
#include "worker/methods/rtn_method.h"
#include "worker/methods/smoothquant_method.h"

namespace heroq {

// The parameters of every method there is: a method exists once it has an alternative here.
using MethodOptions = std::variant<RtnOptions, GptqOptions, DashQOptions, HeroQOptions, AwqOptions,
                                   ArhqOptions, SmoothQuantOptions>;

// Never null.
std::unique_ptr<Method> MakeMethod(const MethodOptions& options);

}  // namespace heroq
