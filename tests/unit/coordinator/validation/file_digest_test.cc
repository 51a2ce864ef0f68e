#include "coordinator/validation/file_digest.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>

#include "common/blob/sha256.h"
#include "common/file/io_error.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

TEST(FileDigestTest, PartsAreDigestsOfTheirBytes) {
  MemoryFileSystem files;
  // Longer than a chunk, with parts that begin inside and end beyond one.
  std::string bytes((5 << 20) + 7, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
  ASSERT_TRUE(WriteFileAtomically(files, "/f", bytes).ok());
  const std::vector<int64_t> begins = {10, 10, 100, 4 << 20, static_cast<int64_t>(bytes.size())};
  const absl::StatusOr<DigestWithParts> digests = DigestOfFileAndParts(files, "/f", begins);
  ASSERT_TRUE(digests.ok()) << digests.status();
  EXPECT_EQ(digests->whole.sha256, Sha256Hex(bytes));
  EXPECT_EQ(digests->whole.size_bytes, static_cast<int64_t>(bytes.size()));
  ASSERT_EQ(digests->parts.size(), begins.size());
  for (size_t i = 0; i < begins.size(); ++i) {
    const size_t end = i + 1 < begins.size() ? begins[i + 1] : bytes.size();
    EXPECT_EQ(digests->parts[i], Sha256Hex(bytes.substr(begins[i], end - begins[i]))) << i;
  }
}

TEST(FileDigestTest, AReadThatFailsIsAnErrorWhicheverItIs) {
  MemoryFileSystem files;
  ASSERT_TRUE(WriteFileAtomically(files, "/f", std::string((2 << 20) + 7, 'x')).ok());
  // Both readers read three chunks.
  for (int fails = 1; fails <= 6; ++fails) {
    std::atomic<int> reads = 0;
    files.SetFault([&](absl::string_view operation, const std::string& path) {
      return operation == "read" && ++reads == fails ? IoError(EIO, operation, path) : absl::OkStatus();
    });
    EXPECT_FALSE(DigestOfFileAndParts(files, "/f", {10}).ok()) << fails;
    EXPECT_GE(reads, fails);
  }
}

TEST(FileDigestTest, EmptyFilesHaveTheDigestOfNothing) {
  MemoryFileSystem files;
  ASSERT_TRUE(WriteFileAtomically(files, "/f", "").ok());
  EXPECT_EQ(DigestOfFile(files, "/f")->sha256,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace heroq
