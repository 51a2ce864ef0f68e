#include "common/tokenizer/byte_level.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/byte_alphabet.h"

namespace heroq {
namespace {

constexpr absl::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

void AppendRange(absl::string_view bytes, Pieces* out) {
  const auto begin = static_cast<int64_t>(out->text.size());
  AppendByteCharacters(bytes, &out->text);
  out->ranges.push_back({begin, static_cast<int64_t>(out->text.size())});
}

}  // namespace

ByteLevel::ByteLevel(bool add_prefix_space, std::unique_ptr<Regex> pattern)
    : add_prefix_space_(add_prefix_space), pattern_(std::move(pattern)) {}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ByteLevel::Create(bool add_prefix_space, bool use_regex) {
  std::unique_ptr<Regex> pattern;
  if (use_regex) {
    HEROQ_ASSIGN_OR_RETURN(pattern, Regex::Compile(kGpt2Pattern));
  }
  return std::unique_ptr<PreTokenizer>(new ByteLevel(add_prefix_space, std::move(pattern)));
}

absl::Status ByteLevel::Apply(Pieces* pieces) const {
  Pieces out;
  out.at_start = pieces->at_start;
  out.text.reserve(pieces->text.size() + pieces->text.size() / 4);
  for (const TextRange& range : pieces->ranges) {
    absl::string_view bytes = range.In(pieces->text);
    std::string prefixed;
    if (add_prefix_space_ && !absl::StartsWith(bytes, " ")) {
      prefixed.append(" ").append(bytes.data(), bytes.size());
      bytes = prefixed;
    }
    if (pattern_ == nullptr) {
      AppendRange(bytes, &out);
      continue;
    }
    HEROQ_ASSIGN_OR_RETURN(const std::vector<MatchRange> matches, pattern_->FindMatches(bytes));
    for (const MatchRange& match : matches) AppendRange(match.range.In(bytes), &out);
  }
  *pieces = std::move(out);
  return absl::OkStatus();
}

}  // namespace heroq
