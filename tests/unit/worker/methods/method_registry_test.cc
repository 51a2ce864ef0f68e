#include "worker/methods/method_registry.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(MethodRegistryTest, OptionsChooseTheMethod) {
  EXPECT_NE(dynamic_cast<RtnMethod*>(MakeMethod(RtnOptions{}).get()), nullptr);
  EXPECT_NE(dynamic_cast<DashQMethod*>(MakeMethod(DashQOptions{}).get()), nullptr);
  EXPECT_NE(dynamic_cast<HeroQMethod*>(MakeMethod(HeroQOptions{}).get()), nullptr);
  EXPECT_NE(dynamic_cast<HeroQMethod*>(MakeMethod(AwqOptions{}).get()), nullptr)
      << "hero-q's diagonal on top of rounding";
  EXPECT_NE(dynamic_cast<ArhqMethod*>(MakeMethod(ArhqOptions{}).get()), nullptr);
  EXPECT_NE(dynamic_cast<GptqMethod*>(MakeMethod(GptqOptions{}).get()), nullptr);
}

}  // namespace
}  // namespace heroq
