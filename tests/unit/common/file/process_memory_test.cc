#include "common/file/process_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace heroq {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;
// Below what the C library maps, and frees, one by one.
constexpr int64_t kBlock = kMiB / 16;
constexpr int64_t kBlocks = 64 * kMiB / kBlock;

// Touches and frees 64 MiB of the heap, below a block that stays.
std::unique_ptr<char[]> LeaveHole() {
  std::vector<std::unique_ptr<char[]>> blocks;
  for (int64_t i = 0; i < kBlocks; ++i) blocks.push_back(std::make_unique<char[]>(kBlock));
  return std::make_unique<char[]>(kBlock);
}

TEST(ProcessMemoryTest, ReturnsWhatWasFreedWhenThatIsMoreThanMayBeKept) {
  const std::unique_ptr<char[]> above = LeaveHole();
  const int64_t before = ResidentBytes();
  ReturnFreedMemory(1024 * kMiB);
  EXPECT_GT(ResidentBytes(), before - kMiB);
  ReturnFreedMemory(16 * kMiB);
  EXPECT_LT(ResidentBytes(), before - 48 * kMiB);
}

}  // namespace
}  // namespace heroq
