#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/file/file_system.h"

namespace heroq {

// Lines of a text file, read a part at a time: a corpus may be larger than memory. Thread-compatible.
class TextLines {
 public:
  struct Line {
    std::string text;    // without its newline
    int64_t number = 0;  // from 1
    int64_t offset = 0;  // of its first byte in the file
  };

  static absl::StatusOr<TextLines> Open(FileSystem& files, const std::string& path);

  // The next line, or nothing at the end of the file. FILE_CORRUPT for a line above 1 GiB.
  absl::StatusOr<std::optional<Line>> Next();

 private:
  TextLines(std::unique_ptr<RandomAccessFile> file, int64_t size) : file_(std::move(file)), size_(size) {}
  absl::Status ReadMore();

  std::unique_ptr<RandomAccessFile> file_;
  int64_t size_;
  int64_t read_ = 0;  // bytes of the file that went through the buffer
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not yet given, in buffer_
  int64_t offset_ = 0;     // of the same in the file
  int64_t number_ = 0;
};

}  // namespace heroq
