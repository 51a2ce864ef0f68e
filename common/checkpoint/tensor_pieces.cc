#include "common/checkpoint/tensor_pieces.h"

#include <algorithm>
#include <string>

#include "common/checkpoint/finite_values.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int64_t kPiece = int64_t{4} << 20;

}  // namespace

absl::Status ReadInPieces(const CheckpointReader::Entry& entry,
                          const std::function<absl::Status(int64_t offset, absl::string_view piece)>& visit) {
  std::string piece;
  for (int64_t offset = 0; offset < entry.info.size; offset += kPiece) {
    piece.resize(static_cast<size_t>(std::min(kPiece, entry.info.size - offset)));
    HEROQ_RETURN_IF_ERROR(
        entry.file->ReadPart(entry.info, offset, static_cast<int64_t>(piece.size()), piece.data()));
    HEROQ_RETURN_IF_ERROR(visit(offset, piece));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SameBytes(const CheckpointReader::Entry& a, const CheckpointReader::Entry& b) {
  if (a.info.dtype != b.info.dtype || a.info.shape != b.info.shape) return false;
  std::string left, right;
  for (int64_t offset = 0; offset < a.info.size; offset += kPiece) {
    const int64_t size = std::min(kPiece, a.info.size - offset);
    left.resize(static_cast<size_t>(size));
    right.resize(static_cast<size_t>(size));
    HEROQ_RETURN_IF_ERROR(a.file->ReadPart(a.info, offset, size, left.data()));
    HEROQ_RETURN_IF_ERROR(b.file->ReadPart(b.info, offset, size, right.data()));
    if (left != right) return false;
  }
  return true;
}

absl::StatusOr<int64_t> CountNonFinite(const CheckpointReader::Entry& entry) {
  int64_t count = 0;
  HEROQ_RETURN_IF_ERROR(ReadInPieces(entry, [&](int64_t, absl::string_view piece) {
    count += CountNonFinite(entry.info.dtype, piece);
    return absl::OkStatus();
  }));
  return count;
}

}  // namespace heroq
