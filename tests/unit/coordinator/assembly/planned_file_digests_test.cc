#include "coordinator/assembly/planned_file_digests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/blob/sha256.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

// A header of four bytes, then `a` of three and `b` of two, named in the other order.
v1::PlannedFile TwoTensors() {
  v1::PlannedFile planned;
  planned.set_header("head");
  for (const auto& [name, begin, end] : {std::tuple("b", 3, 5), std::tuple("a", 0, 3)}) {
    v1::PlannedTensor& tensor = *planned.add_tensors();
    tensor.set_name(name);
    tensor.set_begin(begin);
    tensor.set_end(end);
  }
  return planned;
}

TEST(PlannedFileDigestsTest, TensorsAreDigestedByPlace) {
  MemoryFileSystem files;
  ASSERT_TRUE(WriteFileAtomically(files, "/f", "headaaabb").ok());
  const v1::PlannedFile planned = TwoTensors();
  const absl::StatusOr<PlannedFileDigests> digests = DigestPlannedFile(files, "/f", planned);
  ASSERT_TRUE(digests.ok()) << digests.status();
  EXPECT_EQ(digests->whole.sha256, Sha256Hex("headaaabb"));
  ASSERT_EQ(digests->tensors.size(), 2);
  EXPECT_EQ(digests->tensors[0].first->name(), "a");
  EXPECT_EQ(digests->tensors[0].second, Sha256Hex("aaa"));
  EXPECT_EQ(digests->tensors[1].second, Sha256Hex("bb"));
}

TEST(PlannedFileDigestsTest, AFileThatIsCutOffIsRefused) {
  MemoryFileSystem files;
  ASSERT_TRUE(WriteFileAtomically(files, "/f", "headaa").ok());
  const absl::Status status = DigestPlannedFile(files, "/f", TwoTensors()).status();
  EXPECT_TRUE(HasReason(status, Reason::kValidationFailed)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/f ends at byte 6, before tensor b begins"));
}

}  // namespace
}  // namespace heroq
