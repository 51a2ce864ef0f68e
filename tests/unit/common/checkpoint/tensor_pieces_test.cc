#include "common/checkpoint/tensor_pieces.h"

#include <gtest/gtest.h>

#include <string>

#include "common/checkpoint/safetensors_writer.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

class TensorPiecesTest : public ::testing::Test {
 protected:
  // A BF16 tensor of more than two pieces (4 MiB each) and of less than three, twice, and one that differs in
  // its last byte.
  TensorPiecesTest() {
    std::string bytes(9'000'002, '\1');
    std::string other = bytes;
    other.back() = '\2';
    const auto named = [&](const std::string& name, const std::string& data) {
      return NamedBytes{{name, DType::kBf16, {static_cast<int64_t>(data.size() / 2)}}, data};
    };
    const std::string file =
        SerializeSafetensors({named("a", bytes), named("b", bytes), named("c", other)}).value();
    EXPECT_TRUE(files_.CreateDirectories("/m").ok());
    EXPECT_TRUE(WriteFileAtomically(files_, "/m/model.safetensors", file).ok());
    reader_ = CheckpointReader::Open(files_, "/m").value();
  }
  CheckpointReader::Entry Entry(const std::string& name) const { return reader_->Find(name).value(); }

  MemoryFileSystem files_;
  std::unique_ptr<CheckpointReader> reader_;
};

TEST_F(TensorPiecesTest, PiecesFollowEachOtherAndMakeUpTheTensor) {
  std::string whole;
  int pieces = 0;
  ASSERT_TRUE(ReadInPieces(Entry("c"), [&](int64_t offset, absl::string_view piece) {
                EXPECT_EQ(offset, static_cast<int64_t>(whole.size()));
                EXPECT_EQ(piece.size() % 2, 0u);
                whole.append(piece.data(), piece.size());
                ++pieces;
                return absl::OkStatus();
              }).ok());
  EXPECT_EQ(pieces, 3);
  EXPECT_EQ(whole, reader_->ReadBytes("c").value());
}

TEST_F(TensorPiecesTest, TheFirstErrorOfTheVisitorEndsTheReading) {
  int pieces = 0;
  const absl::Status status = ReadInPieces(Entry("a"), [&](int64_t, absl::string_view) {
    ++pieces;
    return MakeError(Reason::kIo, "full");
  });
  EXPECT_TRUE(HasReason(status, Reason::kIo));
  EXPECT_EQ(pieces, 1);
}

TEST_F(TensorPiecesTest, SameBytesSeesTheLastByte) {
  EXPECT_TRUE(SameBytes(Entry("a"), Entry("b")).value());
  EXPECT_FALSE(SameBytes(Entry("a"), Entry("c")).value());
}

TEST_F(TensorPiecesTest, NonFiniteValuesAreCountedInEveryPiece) {
  // 0x7f80 is infinity.
  std::string bytes(9'000'000, '\0');
  for (const size_t at : {size_t{0}, size_t{5'000'000}, bytes.size() - 2}) {
    bytes[at] = '\x80';
    bytes[at + 1] = '\x7f';
  }
  const std::string file = SerializeSafetensors({{{"inf", DType::kBf16, {4'500'000}}, bytes}}).value();
  ASSERT_TRUE(WriteFileAtomically(files_, "/m/model.safetensors", file).ok());
  const auto reader = CheckpointReader::Open(files_, "/m");
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(CountNonFinite((*reader)->Find("inf").value()).value(), 3);
  EXPECT_EQ(CountNonFinite(Entry("a")).value(), 0);
}

}  // namespace
}  // namespace heroq
