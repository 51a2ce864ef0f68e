#include "coordinator/validation/file_digest.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "common/blob/sha256.h"
#include "common/concurrency/side_by_side.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int64_t kChunkBytes = int64_t{1} << 20;
// From here on a second thread is worth its start.
constexpr int64_t kBytesForTwo = int64_t{1} << 20;

// Digests of the parts of a byte stream that begin at `begins`.
class PartDigests {
 public:
  explicit PartDigests(const std::vector<int64_t>& begins) : begins_(begins) {}

  // The bytes that follow those of the call before.
  void Update(absl::string_view bytes) {
    while (!bytes.empty()) {
      StartParts();
      size_t size = bytes.size();
      if (next_ < begins_.size()) size = std::min(size, static_cast<size_t>(begins_[next_] - offset_));
      if (part_.has_value()) part_->Update(bytes.substr(0, size));
      bytes.remove_prefix(size);
      offset_ += static_cast<int64_t>(size);
    }
  }

  std::vector<std::string> Finish() {
    StartParts();
    if (part_.has_value()) parts_.push_back(part_->Finish());
    return std::move(parts_);
  }

 private:
  // More than one where parts are empty.
  void StartParts() {
    while (next_ < begins_.size() && begins_[next_] == offset_) {
      if (part_.has_value()) parts_.push_back(part_->Finish());
      part_.emplace();
      ++next_;
    }
  }

  const std::vector<int64_t>& begins_;
  int64_t offset_ = 0;
  size_t next_ = 0;  // the part that begins next
  std::optional<Sha256> part_;
  std::vector<std::string> parts_;
};

// Gives `consume` the first `size` bytes, in order.
absl::Status ReadInChunks(const RandomAccessFile& file, int64_t size,
                          const std::function<void(absl::string_view)>& consume) {
  std::string buffer;
  for (int64_t offset = 0; offset < size; offset += static_cast<int64_t>(buffer.size())) {
    buffer.resize(std::min(kChunkBytes, size - offset));
    HEROQ_RETURN_IF_ERROR(file.ReadAt(offset, static_cast<int64_t>(buffer.size()), buffer.data()));
    consume(buffer);
  }
  return absl::OkStatus();
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
  Sha256 whole;
  PartDigests parts(begins);
  if (begins.empty() || info.size < kBytesForTwo) {
    HEROQ_RETURN_IF_ERROR(ReadInChunks(*file, info.size, [&](absl::string_view bytes) {
      whole.Update(bytes);
      parts.Update(bytes);
    }));
  } else {
    absl::Status whole_read, parts_read;
    // Each reads on its own: copying from the page cache a second time costs less than waiting for each
    // other.
    RunSideBySide(
        [&] {
          whole_read = ReadInChunks(*file, info.size, [&](absl::string_view bytes) { whole.Update(bytes); });
        },
        [&] {
          parts_read = ReadInChunks(*file, info.size, [&](absl::string_view bytes) { parts.Update(bytes); });
        });
    HEROQ_RETURN_IF_ERROR(whole_read);
    HEROQ_RETURN_IF_ERROR(parts_read);
  }
  return DigestWithParts{info, {whole.Finish(), info.size}, parts.Finish()};
}

}  // namespace heroq
