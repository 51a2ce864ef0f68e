#include "worker/device/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

TEST(OpenDeviceTest, CpuIsAlwaysThere) { EXPECT_EQ(OpenDevice("cpu").value(), c10::Device(c10::kCPU)); }

TEST(OpenDeviceTest, OtherTextIsRefusedByName) {
  for (const char* text : {"", "gpu", "cuda", "cuda:", "cuda:x", "cuda:-1", "cuda:999", "CPU"}) {
    const auto device = OpenDevice(text);
    EXPECT_TRUE(HasReason(device.status(), Reason::kInvalidSpec)) << text;
    EXPECT_THAT(std::string(device.status().message()), HasSubstr("expected cpu or cuda:N"));
  }
}

// No machine has 128 GPUs: whether the library is missing, the driver is or the GPU is, the answer is the
// same reason.
TEST(OpenDeviceTest, AGpuThatIsNotThereIsUnavailable) {
  const auto device = OpenDevice("cuda:127");
  EXPECT_TRUE(HasReason(device.status(), Reason::kDeviceUnavailable)) << device.status();
  EXPECT_THAT(std::string(device.status().message()), HasSubstr("device cuda:127"));
}

}  // namespace
}  // namespace heroq
