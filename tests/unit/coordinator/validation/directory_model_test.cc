#include "coordinator/validation/directory_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coordinator/validation/checkpoint_validator.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

using ::testing::Contains;
using ::testing::Not;

constexpr char kIndex[] = "/model/model.safetensors.index.json";
constexpr char kFinding[] = "tensor_file_invalid model.safetensors.index.json";

// "rule file" of every finding on a model of one file with `index` beside it.
std::vector<std::string> FindingsWith(const std::string& index) {
  MemoryFileSystem files;
  WriteTinyModel(files, "/model", TinyModel());
  EXPECT_TRUE(WriteFileAtomically(files, kIndex, index).ok());
  const auto response = ValidateCheckpoint(files, "/model", "");
  EXPECT_TRUE(response.ok()) << response.status();
  std::vector<std::string> lines;
  for (const v1::ValidationFinding& finding : response->findings()) {
    lines.push_back(finding.rule() + " " + finding.file());
  }
  return lines;
}

TEST(DirectoryModelTest, AnIndexThatIsNoneIsAFinding) {
  for (const char* index : {"[]", "3", "{}", R"({"weight_map": {"a": "f"}, "metadata": [1]})",
                            R"({"weight_map": {"a": "f"}, "metadata": {"total_size": "1"}})"}) {
    EXPECT_THAT(FindingsWith(index), Contains(kFinding)) << index;
  }
}

TEST(DirectoryModelTest, AnIndexOfOtherTensorsIsFoundTensorByTensor) {
  const std::vector<std::string> findings =
      FindingsWith(R"({"weight_map": {"a": "f"}, "metadata": {"total_size": 1}})");
  EXPECT_THAT(findings, Not(Contains(kFinding)));
  EXPECT_THAT(findings, Contains("index_entry model.safetensors.index.json"));
  EXPECT_THAT(findings, Contains("index_total_size model.safetensors.index.json"));
}

}  // namespace
}  // namespace heroq
