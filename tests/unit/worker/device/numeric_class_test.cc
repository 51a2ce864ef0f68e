#include "worker/device/numeric_class.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace heroq {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(NumericClassTest, NamesLibraryProcessorCachesAndInstructionSets) {
  const std::string name = NumericClass(c10::Device(c10::kCPU));
  EXPECT_THAT(
      name,
      MatchesRegex(
          "torch-[0-9.]+ kernels-[0-9]+ cpu [A-Za-z]+-[0-9]+-[0-9]+ l1d-[0-9]+K l2-[0-9]+K l3-[0-9]+K .+"));
  EXPECT_EQ(name, NumericClass(c10::Device(c10::kCPU)));
}

TEST(NumericClassTest, ALimitOnInstructionSetsMakesAnotherClass) {
  const std::string before = NumericClass(c10::Device(c10::kCPU));
  setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
  const std::string limited = NumericClass(c10::Device(c10::kCPU));
  unsetenv("ONEDNN_MAX_CPU_ISA");
  EXPECT_NE(before, limited);
  EXPECT_THAT(limited, HasSubstr("ONEDNN_MAX_CPU_ISA=AVX2"));
}

}  // namespace
}  // namespace heroq
