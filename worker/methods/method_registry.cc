#include "worker/methods/method_registry.h"

#include "worker/methods/awq_method.h"

namespace heroq {
namespace {

struct Maker {
  std::unique_ptr<Method> operator()(const RtnOptions& options) const {
    return std::make_unique<RtnMethod>(options);
  }
  std::unique_ptr<Method> operator()(const GptqOptions& options) const {
    return std::make_unique<GptqMethod>(options);
  }
  std::unique_ptr<Method> operator()(const DashQOptions& options) const {
    return std::make_unique<DashQMethod>(options);
  }
  std::unique_ptr<Method> operator()(const HeroQOptions& options) const {
    return std::make_unique<HeroQMethod>(options);
  }
  std::unique_ptr<Method> operator()(const AwqOptions& options) const { return MakeAwqMethod(options); }
  std::unique_ptr<Method> operator()(const SmoothQuantOptions& options) const {
    return std::make_unique<SmoothQuantMethod>(options);
  }
  std::unique_ptr<Method> operator()(const ArhqOptions& options) const {
    return std::make_unique<ArhqMethod>(options);
  }
};

}  // namespace

std::unique_ptr<Method> MakeMethod(const MethodOptions& options) { return std::visit(Maker{}, options); }

}  // namespace heroq
