#include "common/tokenizer/text_lines.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int64_t kReadBytes = int64_t{1} << 20;
constexpr std::size_t kLongestLine = std::size_t{1} << 30;

}  // namespace

absl::StatusOr<TextLines> TextLines::Open(FileSystem& files, const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, files.OpenForRead(path));
  HEROQ_ASSIGN_OR_RETURN(const FileInfo info, file->Stat());
  return TextLines(std::move(file), info.size);
}

absl::Status TextLines::ReadMore() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  if (buffer_.size() > kLongestLine) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(file_->path(), ": line ", number_ + 1,
                                                        " is longer than ", kLongestLine, " bytes"));
  }
  const int64_t count = std::min(kReadBytes, size_ - read_);
  const std::size_t kept = buffer_.size();
  buffer_.resize(kept + count);
  HEROQ_RETURN_IF_ERROR(file_->ReadAt(read_, count, buffer_.data() + kept));
  read_ += count;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TextLines::Line>> TextLines::Next() {
  std::size_t newline = buffer_.find('\n', begin_);
  while (newline == std::string::npos && read_ < size_) {
    const std::size_t searched = buffer_.size() - begin_;
    HEROQ_RETURN_IF_ERROR(ReadMore());
    newline = buffer_.find('\n', searched);
  }
  if (begin_ == buffer_.size()) return std::nullopt;
  const bool ended = newline == std::string::npos;
  const std::size_t end = ended ? buffer_.size() : newline;
  const std::size_t next = ended ? end : end + 1;
  std::optional<Line> line = Line{buffer_.substr(begin_, end - begin_), ++number_, offset_};
  offset_ += static_cast<int64_t>(next - begin_);
  begin_ = next;
  return line;
}

}  // namespace heroq
