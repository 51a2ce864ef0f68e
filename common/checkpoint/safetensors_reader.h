#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/dtype.h"
#include "common/file/file_system.h"

namespace heroq {

struct TensorInfo {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  int64_t begin = 0;  // offset in the file, header included
  int64_t size = 0;   // bytes

  int64_t elements() const;
};

struct SafetensorsLimits {
  int64_t max_header_bytes = int64_t{16} << 20;
  int64_t max_tensors = 1'000'000;
  int max_rank = 8;
  int64_t max_name_bytes = 1024;  // of a tensor
};

// A safetensors file, strictly: header, counts and names within limits, header within the file, UTF-8 JSON
// that starts with '{', no duplicate keys, known dtypes, offsets that start at 0, follow each other without
// hole or overlap and end at the file's end, sizes that match shapes. Accepts only what the Python library
// accepts. FILE_CORRUPT names file, tensor and rule; UNSUPPORTED names a tensor of a dtype heroq does not
// read (8-bit floats and smaller, complex). Reads by pread: a file truncated later is an error. Thread-safe
// after Open.
class SafetensorsReader {
 public:
  static absl::StatusOr<std::unique_ptr<SafetensorsReader>> Open(FileSystem& files, const std::string& path,
                                                                 const SafetensorsLimits& limits = {});

  const std::string& path() const { return path_; }
  // In name order.
  const std::map<std::string, TensorInfo>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // SHA-256 of length field and header, lower-case hex.
  const std::string& header_digest() const { return header_digest_; }
  // FILE_CORRUPT "tensor ... is missing" when there is none.
  absl::StatusOr<const TensorInfo*> Find(const std::string& name) const;
  // The tensor's bytes; `buffer` holds info.size bytes.
  absl::Status Read(const TensorInfo& info, void* buffer) const;
  // Bytes [offset, offset + size) of the tensor.
  absl::Status ReadPart(const TensorInfo& info, int64_t offset, int64_t size, void* buffer) const;
  // Says that the tensor will be read soon (RandomAccessFile::WillRead).
  void WillRead(const TensorInfo& info) const;

 private:
  SafetensorsReader() = default;

  std::string path_;
  std::unique_ptr<RandomAccessFile> file_;
  std::map<std::string, TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
  std::string header_digest_;
};

}  // namespace heroq
