#include "coordinator/planning/token_blobs.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/text_corpus.h"
#include "common/tokenizer/tokenizer.h"

namespace heroq {
namespace {

// Loads the model's tokenizer when the first text needs it.
class TokenReader {
 public:
  TokenReader(FileSystem& files, const LocationResolver& resolve, std::string model_directory,
              int64_t vocab_size)
      : files_(files),
        resolve_(resolve),
        model_directory_(std::move(model_directory)),
        vocab_size_(vocab_size) {}

  absl::StatusOr<TokenSequences> Read(const v1::TextSource& source, int64_t sequences, int64_t length,
                                      Windows windows) {
    if (source.has_tokens_file()) {
      HEROQ_ASSIGN_OR_RETURN(const std::string path, resolve_(source.tokens_file()));
      return SequencesFromTokensFile(files_, path, sequences, length, vocab_size_);
    }
    HEROQ_RETURN_IF_ERROR(LoadTokenizer());
    std::vector<std::string> paths;
    for (const v1::Location& location : source.text_files()) {
      HEROQ_ASSIGN_OR_RETURN(std::string path, resolve_(location));
      paths.push_back(std::move(path));
    }
    HEROQ_ASSIGN_OR_RETURN(TokenSequences tokens,
                           SequencesFromText(files_, paths, *tokenizer_, sequences, length, windows));
    const auto largest = std::max_element(tokens.ids.begin(), tokens.ids.end());
    if (largest != tokens.ids.end() && *largest >= vocab_size_) {
      return MakeError(Reason::kModelInvalid,
                       absl::StrCat(model_directory_, "/tokenizer.json gives the id ", *largest,
                                    ", but the model has ", vocab_size_, " embeddings"));
    }
    return tokens;
  }

 private:
  absl::Status LoadTokenizer() {
    if (tokenizer_ != nullptr) return absl::OkStatus();
    const std::string path = JoinPath(model_directory_, "tokenizer.json");
    if (!files_.Exists(path)) {
      return MakeError(
          Reason::kTokenizerUnsupported,
          absl::StrCat(model_directory_, " has no tokenizer.json, which texts are tokenized with"),
          {{"path", path}});
    }
    HEROQ_ASSIGN_OR_RETURN(const std::string json, ReadFile(files_, path));
    HEROQ_ASSIGN_OR_RETURN(tokenizer_, Tokenizer::Load(json, path));
    return absl::OkStatus();
  }

  FileSystem& files_;
  const LocationResolver& resolve_;
  const std::string model_directory_;
  const int64_t vocab_size_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

// The spec's own spelling of each file, so that nothing but the request decides what a report shows.
void AddTextUses(const v1::TextSource& source, const TokenSequences& tokens, v1::Plan& plan) {
  for (size_t i = 0; i < tokens.counts.size(); ++i) {
    v1::TextUse& use = *plan.add_texts();
    use.set_file(source.has_tokens_file() ? source.tokens_file().path()
                                          : source.text_files(static_cast<int>(i)).path());
    use.set_documents(tokens.counts[i].documents);
    use.set_tokens_read(tokens.counts[i].tokens_read);
    use.set_tokens_used(tokens.counts[i].tokens_used);
  }
}

// What is read of a source, and where its blob is noted.
struct Wanted {
  absl::string_view field;
  const v1::TextSource& source;
  int64_t sequences = 0;
  int64_t length = 0;
  Windows windows = Windows::kFromStart;
  v1::BlobDigest& blob;
  int64_t held_out = 0;                     // more sequences that must follow
  v1::BlobDigest* held_out_blob = nullptr;  // and where they go
};

// Rows [begin, begin + count).
TokenSequences Rows(const TokenSequences& tokens, int64_t begin, int64_t count) {
  const auto first = tokens.ids.begin() + begin * tokens.length;
  return {count, tokens.length, {first, first + count * tokens.length}, tokens.counts};
}

absl::Status Store(const TokenSequences& tokens, BlobStore& blobs, v1::BlobDigest& blob) {
  HEROQ_ASSIGN_OR_RETURN(const std::string bytes, SerializeTokens(tokens));
  HEROQ_ASSIGN_OR_RETURN(const Digest digest, blobs.Put(bytes, Durability::kDurable));
  blob = DigestToProto(digest);
  return absl::OkStatus();
}

absl::Status AddSource(const Wanted& wanted, TokenReader& reader, BlobStore& blobs, v1::Plan& plan,
                       SpecViolations& violations) {
  if (violations.Has(wanted.field)) return absl::OkStatus();
  const absl::StatusOr<TokenSequences> tokens =
      reader.Read(wanted.source, wanted.sequences + wanted.held_out, wanted.length, wanted.windows);
  if (!tokens.ok()) {
    violations.AddRefusal(absl::StrCat(wanted.field, ".source"), Annotate(tokens.status(), wanted.field));
    return absl::OkStatus();
  }
  HEROQ_RETURN_IF_ERROR(Store(Rows(*tokens, 0, wanted.sequences), blobs, wanted.blob));
  if (wanted.held_out_blob != nullptr) {
    HEROQ_RETURN_IF_ERROR(
        Store(Rows(*tokens, wanted.sequences, wanted.held_out), blobs, *wanted.held_out_blob));
  }
  AddTextUses(wanted.source, *tokens, plan);
  return absl::OkStatus();
}

}  // namespace

absl::Status AddTokenBlobs(FileSystem& files, BlobStore& blobs, const LocationResolver& resolve,
                           int64_t vocab_size, const HeldOutText& held_out, v1::Plan& plan,
                           SpecViolations& violations) {
  TokenReader reader(files, resolve, plan.model_directory(), vocab_size);
  if (plan.calibration().has_source()) {
    const v1::CalibrationSpec& spec = plan.calibration();
    HEROQ_RETURN_IF_ERROR(
        AddSource({"calibration", spec.source(), spec.samples(), spec.sequence_length(), Windows::kFromStart,
                   *plan.mutable_calibration_tokens(), held_out.sequences,
                   held_out.evaluated ? plan.mutable_evaluation_tokens() : nullptr},
                  reader, blobs, plan, violations));
  }
  if (plan.evaluation().has_source() && !held_out.evaluated) {
    const v1::EvaluationSpec& spec = plan.evaluation();
    HEROQ_RETURN_IF_ERROR(AddSource({"evaluation", spec.source(), spec.sequences(), spec.sequence_length(),
                                     Windows::kSpread, *plan.mutable_evaluation_tokens()},
                                    reader, blobs, plan, violations));
  }
  return absl::OkStatus();
}

}  // namespace heroq
