#include "coordinator/validation/file_digest.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

#include "common/blob/sha256.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int64_t kChunkBytes = int64_t{4} << 20;
// From here on a second thread is worth its start.
constexpr size_t kBytesForTwo = size_t{1} << 20;

void UpdateBoth(const std::string& bytes, Sha256& whole, Sha256& part) {
  if (bytes.size() < kBytesForTwo) {
    whole.Update(bytes);
    part.Update(bytes);
    return;
  }
  std::thread other([&] { part.Update(bytes); });
  whole.Update(bytes);
  other.join();
}

}  // namespace

absl::StatusOr<Digest> DigestOfFile(FileSystem& files, const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(DigestWithParts digests, DigestOfFileAndParts(files, path, {}));
  return std::move(digests.whole);
}

absl::StatusOr<DigestWithParts> DigestOfFileAndParts(FileSystem& files, const std::string& path,
                                                     const std::vector<int64_t>& begins) {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, files.OpenForRead(path));
  HEROQ_ASSIGN_OR_RETURN(const FileInfo info, file->Stat());
  DigestWithParts digests;
  Sha256 whole;
  std::optional<Sha256> part;
  size_t next = 0;  // the part that begins next
  std::string buffer;
  for (int64_t offset = 0; offset < info.size || next < begins.size();) {
    while (next < begins.size() && begins[next] == offset) {
      if (part.has_value()) digests.parts.push_back(part->Finish());
      part.emplace();
      ++next;
    }
    if (offset >= info.size) break;
    int64_t end = std::min(info.size, offset + kChunkBytes);
    if (next < begins.size()) end = std::min(end, begins[next]);
    buffer.resize(end - offset);
    HEROQ_RETURN_IF_ERROR(file->ReadAt(offset, end - offset, buffer.data()));
    if (part.has_value()) {
      UpdateBoth(buffer, whole, *part);
    } else {
      whole.Update(buffer);
    }
    offset = end;
  }
  if (part.has_value()) digests.parts.push_back(part->Finish());
  digests.whole = {whole.Finish(), info.size};
  return digests;
}

}  // namespace heroq
