#include "common/checkpoint/safetensors_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/sha256.h"
#include "common/checkpoint/safetensors_header.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {

int64_t TensorInfo::elements() const { return size / SizeOf(dtype); }

absl::StatusOr<std::unique_ptr<SafetensorsReader>> SafetensorsReader::Open(FileSystem& files,
                                                                           const std::string& path,
                                                                           const SafetensorsLimits& limits) {
  std::unique_ptr<SafetensorsReader> reader(new SafetensorsReader);
  reader->path_ = path;
  HEROQ_ASSIGN_OR_RETURN(reader->file_, files.OpenForRead(path));
  HEROQ_ASSIGN_OR_RETURN(const FileInfo info, reader->file_->Stat());
  if (info.size < kSafetensorsLengthBytes) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": ", info.size, " bytes, expected at least 8"),
                     {{"file", path}});
  }
  std::string opening(kSafetensorsLengthBytes, '\0');
  HEROQ_RETURN_IF_ERROR(reader->file_->ReadAt(0, kSafetensorsLengthBytes, opening.data()));
  HEROQ_ASSIGN_OR_RETURN(const int64_t length, ParseSafetensorsLength(opening, info.size, path, limits));
  opening.resize(kSafetensorsLengthBytes + length);
  HEROQ_RETURN_IF_ERROR(
      reader->file_->ReadAt(kSafetensorsLengthBytes, length, opening.data() + kSafetensorsLengthBytes));
  HEROQ_ASSIGN_OR_RETURN(SafetensorsHeader header,
                         ParseSafetensorsHeader(absl::string_view(opening).substr(kSafetensorsLengthBytes),
                                                info.size, path, limits));
  reader->tensors_ = std::move(header.tensors);
  reader->metadata_ = std::move(header.metadata);
  reader->header_digest_ = Sha256Hex(opening);
  return reader;
}

absl::StatusOr<const TensorInfo*> SafetensorsReader::Find(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(path_, ": tensor ", name, " is missing"),
                     {{"file", path_}, {"tensor", name}});
  }
  return &found->second;
}

absl::Status SafetensorsReader::Read(const TensorInfo& info, void* buffer) const {
  return ReadPart(info, 0, info.size, buffer);
}

absl::Status SafetensorsReader::ReadPart(const TensorInfo& info, int64_t offset, int64_t size,
                                         void* buffer) const {
  if (offset < 0 || size < 0 || offset > info.size - size) {
    return MakeError(Reason::kInternal, absl::StrCat(path_, ": tensor ", info.name, ": bytes ", offset,
                                                     " to ", offset + size, " of ", info.size));
  }
  return file_->ReadAt(info.begin + offset, size, buffer);
}

void SafetensorsReader::WillRead(const TensorInfo& info) const { file_->WillRead(info.begin, info.size); }

}  // namespace heroq
