#include "common/tokenizer/text_corpus.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/safetensors_reader.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/text_lines.h"
#include "common/tokenizer/utf8.h"

namespace heroq {
namespace {

constexpr char kWhiteSpace[] = " \t\r";

// Of a plain text of which not all is needed, so much is read at first, and twice as much when it was not
// enough: prose has four or five bytes a token.
constexpr int64_t kHeadBytesPerToken = 8;
// Tokens at the end of a head that are not relied upon: the text that follows could join them with its own.
constexpr int64_t kUnsettledTokens = 1024;

// `offset` is where `text` begins in the file.
absl::Status CheckText(const std::string& path, absl::string_view text, int64_t offset) {
  if (const std::optional<int64_t> invalid = FirstInvalidUtf8(text); invalid.has_value()) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": not UTF-8 at byte ", offset + *invalid));
  }
  if (const std::size_t zero = text.find('\0'); zero != absl::string_view::npos) {
    return MakeError(Reason::kFileCorrupt,
                     absl::StrCat(path, ": a zero byte at byte ", offset + static_cast<int64_t>(zero),
                                  ": a binary file, not text"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> TextOfLine(const std::string& path, const TextLines::Line& line) {
  const std::string name = absl::StrCat(path, " line ", line.number);
  JsonLimits limits;
  limits.max_bytes = static_cast<int64_t>(line.text.size());
  HEROQ_ASSIGN_OR_RETURN(const nlohmann::json document, ParseStrictJson(line.text, name, limits));
  const auto text = document.is_object() ? document.find("text") : document.end();
  if (!document.is_object() || text == document.end() || !text->is_string()) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(name, ": must be an object with a string \"text\""));
  }
  return text->get<std::string>();
}

// The joined tokens of all documents, until there are enough.
class TokenStream {
 public:
  TokenStream(FileSystem& files, const Tokenizer& tokenizer, std::optional<int64_t> enough)
      : files_(files), tokenizer_(tokenizer), enough_(enough) {}

  absl::Status ReadAll(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      counts_.push_back(TextCount{path});
      if (complete()) continue;
      HEROQ_RETURN_IF_ERROR(absl::EndsWith(path, ".jsonl") ? ReadLines(path) : ReadPlain(path));
    }
    return absl::OkStatus();
  }

  const std::vector<int32_t>& ids() const { return ids_; }
  const std::vector<TextCount>& counts() const { return counts_; }

 private:
  bool complete() const { return enough_.has_value() && static_cast<int64_t>(ids_.size()) >= *enough_; }

  absl::StatusOr<std::vector<int32_t>> Encode(const std::string& path, absl::string_view document) const {
    absl::StatusOr<std::vector<int32_t>> ids = tokenizer_.Encode(document, /*add_special_tokens=*/true);
    if (!ids.ok()) return Annotate(ids.status(), path);
    return ids;
  }

  void Add(const std::vector<int32_t>& ids) {
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    counts_.back().documents += 1;
    counts_.back().tokens_read += static_cast<int64_t>(ids.size());
  }

  absl::Status ReadPlain(const std::string& path) {
    HEROQ_ASSIGN_OR_RETURN(const bool enough, ReadHead(path));
    if (enough) return absl::OkStatus();
    HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(files_, path));
    HEROQ_RETURN_IF_ERROR(CheckText(path, text, 0));
    HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, Encode(path, text));
    Add(ids);
    return absl::OkStatus();
  }

  // Reads whole lines from the beginning of a text until they do; false, and nothing read, when only all of
  // it may.
  absl::StatusOr<bool> ReadHead(const std::string& path) {
    if (!enough_.has_value()) return false;
    const int64_t needed = *enough_ - static_cast<int64_t>(ids_.size()) + kUnsettledTokens;
    HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, files_.OpenForRead(path));
    HEROQ_ASSIGN_OR_RETURN(const FileInfo info, file->Stat());
    for (int64_t size = kHeadBytesPerToken * needed; size < info.size; size *= 2) {
      std::string head(static_cast<std::size_t>(size), '\0');
      HEROQ_RETURN_IF_ERROR(file->ReadAt(0, size, head.data()));
      head.resize(head.rfind('\n') + 1);
      HEROQ_RETURN_IF_ERROR(CheckText(path, head, 0));
      HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, Encode(path, head));
      if (static_cast<int64_t>(ids.size()) < needed) continue;
      Add(ids);
      return true;
    }
    return false;
  }

  absl::Status ReadLines(const std::string& path) {
    HEROQ_ASSIGN_OR_RETURN(TextLines lines, TextLines::Open(files_, path));
    while (!complete()) {
      HEROQ_ASSIGN_OR_RETURN(const std::optional<TextLines::Line> line, lines.Next());
      if (!line.has_value()) break;
      HEROQ_RETURN_IF_ERROR(CheckText(path, line->text, line->offset));
      if (line->text.find_first_not_of(kWhiteSpace) == std::string::npos) continue;
      HEROQ_ASSIGN_OR_RETURN(const std::string text, TextOfLine(path, *line));
      HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, Encode(path, text));
      Add(ids);
    }
    return absl::OkStatus();
  }

  FileSystem& files_;
  const Tokenizer& tokenizer_;
  const std::optional<int64_t> enough_;
  std::vector<int32_t> ids_;
  std::vector<TextCount> counts_;
};

int64_t BeginOfSequence(int64_t sequence, const TokenSequences& shape, int64_t stream, Windows windows) {
  if (windows == Windows::kFromStart) return sequence * shape.length;
  if (shape.sequences == 1) return 0;
  return sequence * (stream - shape.length) / (shape.sequences - 1);
}

// Credits tokens [begin, begin + length) of the stream to the files they came from.
void CountUsed(int64_t begin, int64_t length, std::vector<TextCount>* counts) {
  int64_t file_begin = 0;
  for (TextCount& count : *counts) {
    const int64_t file_end = file_begin + count.tokens_read;
    count.tokens_used +=
        std::max<int64_t>(0, std::min(begin + length, file_end) - std::max(begin, file_begin));
    file_begin = file_end;
  }
}

absl::Status CheckShape(int64_t sequences, int64_t length) {
  constexpr int64_t kLargest = int64_t{1} << 31;
  if (sequences < 1 || length < 1 || sequences > kLargest / length) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("cannot take ", sequences, " sequences of ", length,
                                  " tokens: both must be positive and their product at most ", kLargest));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> ReadIds(const SafetensorsReader& reader, const TensorInfo& info,
                                             int64_t row, int64_t count) {
  const int64_t width = SizeOf(info.dtype);
  std::string bytes(count * width, '\0');
  HEROQ_RETURN_IF_ERROR(reader.ReadPart(info, row * info.shape[1] * width, count * width, bytes.data()));
  std::vector<int64_t> ids(count);
  for (int64_t i = 0; i < count; ++i) {
    if (info.dtype == DType::kI64) {
      std::memcpy(&ids[i], bytes.data() + i * width, sizeof(int64_t));
    } else {
      int32_t id = 0;
      std::memcpy(&id, bytes.data() + i * width, sizeof(int32_t));
      ids[i] = id;
    }
  }
  return ids;
}

}  // namespace

absl::StatusOr<TokenSequences> SequencesFromText(FileSystem& files, const std::vector<std::string>& paths,
                                                 const Tokenizer& tokenizer, int64_t sequences,
                                                 int64_t length, Windows windows) {
  HEROQ_RETURN_IF_ERROR(CheckShape(sequences, length));
  const int64_t needed = sequences * length;
  TokenStream stream(files, tokenizer,
                     windows == Windows::kFromStart ? std::optional<int64_t>(needed) : std::nullopt);
  HEROQ_RETURN_IF_ERROR(stream.ReadAll(paths));
  const auto available = static_cast<int64_t>(stream.ids().size());
  if (available < needed) {
    return MakeError(Reason::kTextTooShort,
                     absl::StrCat(absl::StrJoin(paths, ", "), ": ", available, " tokens, but ", sequences,
                                  " sequences of ", length, " need ", needed));
  }
  TokenSequences out{sequences, length, {}, stream.counts()};
  out.ids.reserve(needed);
  for (int64_t sequence = 0; sequence < sequences; ++sequence) {
    const int64_t begin = BeginOfSequence(sequence, out, available, windows);
    out.ids.insert(out.ids.end(), stream.ids().begin() + begin, stream.ids().begin() + begin + length);
    CountUsed(begin, length, &out.counts);
  }
  return out;
}

absl::StatusOr<TokenSequences> SequencesFromTokensFile(FileSystem& files, const std::string& path,
                                                       int64_t sequences, int64_t length,
                                                       int64_t vocab_size) {
  HEROQ_RETURN_IF_ERROR(CheckShape(sequences, length));
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> reader,
                         SafetensorsReader::Open(files, path));
  HEROQ_ASSIGN_OR_RETURN(const TensorInfo* info, reader->Find("input_ids"));
  if ((info->dtype != DType::kI32 && info->dtype != DType::kI64) || info->shape.size() != 2) {
    return MakeError(Reason::kFileCorrupt,
                     absl::StrCat(path, ": input_ids must be I32 or I64 [sequences, length], and is ",
                                  ToString(info->dtype), " [", absl::StrJoin(info->shape, ", "), "]"));
  }
  const int64_t rows = info->shape[0];
  const int64_t columns = info->shape[1];
  if (rows < sequences || columns < length) {
    return MakeError(Reason::kTextTooShort,
                     absl::StrCat(path, ": ", rows, " sequences of ", columns, " tokens, but ", sequences,
                                  " of ", length, " are needed"));
  }
  TokenSequences out{sequences, length, {}, {TextCount{path, rows, rows * columns, sequences * length}}};
  out.ids.reserve(sequences * length);
  for (int64_t row = 0; row < sequences; ++row) {
    HEROQ_ASSIGN_OR_RETURN(const std::vector<int64_t> ids, ReadIds(*reader, *info, row, length));
    for (int64_t column = 0; column < length; ++column) {
      if (ids[column] < 0 || ids[column] >= vocab_size) {
        return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": input_ids[", row, ", ", column, "] is ",
                                                            ids[column], ", outside [0, ", vocab_size, ")"));
      }
      out.ids.push_back(static_cast<int32_t>(ids[column]));
    }
  }
  return out;
}

absl::StatusOr<std::string> SerializeTokens(const TokenSequences& tokens) {
  if (static_cast<int64_t>(tokens.ids.size()) != tokens.sequences * tokens.length) {
    return MakeError(Reason::kInternal, absl::StrCat(tokens.ids.size(), " ids are not ", tokens.sequences,
                                                     " sequences of ", tokens.length));
  }
  NamedBytes tensor;
  tensor.spec = {"input_ids", DType::kI32, {tokens.sequences, tokens.length}};
  tensor.bytes = absl::string_view(reinterpret_cast<const char*>(tokens.ids.data()),
                                   tokens.ids.size() * sizeof(int32_t));
  return SerializeSafetensors({tensor});
}

}  // namespace heroq
