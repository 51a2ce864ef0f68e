#include "common/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/regex_dialect.h"

namespace heroq {
namespace {

// PCRE2's stack for compiled code starts with 32 KiB; long runs under nested repetition need more.
constexpr std::size_t kSmallestStack = std::size_t{64} << 10;
constexpr std::size_t kLargestStack = std::size_t{64} << 20;

// Steps of one search. Backtracking over a run is linear in it; what takes more is a pattern that does not
// end.
uint32_t StepLimit(absl::string_view text) {
  constexpr std::size_t kFree = 10'000;
  constexpr std::size_t kPerByte = 16;
  return static_cast<uint32_t>(
      std::min<std::size_t>(kFree + kPerByte * text.size(), std::numeric_limits<uint32_t>::max()));
}

std::string ErrorText(int code) {
  PCRE2_UCHAR text[256];
  pcre2_get_error_message(code, text, sizeof(text));
  return reinterpret_cast<const char*>(text);
}

struct Deleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

// What one thread needs to match; made once a thread, since a text has many pieces to match in.
struct Scratch {
  std::unique_ptr<pcre2_jit_stack, Deleter> stack{
      pcre2_jit_stack_create(kSmallestStack, kLargestStack, nullptr)};
  std::unique_ptr<pcre2_match_context, Deleter> context{pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_match_data, Deleter> data{pcre2_match_data_create(1, nullptr)};

  Scratch() {
    if (!stack || !context) return;
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
    pcre2_set_heap_limit(context.get(), kLargestStack >> 10);
  }
  bool ok() const { return stack && context && data; }
};

Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, Deleter> code;
};

Regex::Regex(std::unique_ptr<Code> code) : code_(std::move(code)) {}
Regex::~Regex() = default;

absl::StatusOr<std::unique_ptr<Regex>> Regex::Compile(absl::string_view pattern) {
  HEROQ_ASSIGN_OR_RETURN(const std::string translated, TranslatePattern(pattern));
  std::unique_ptr<pcre2_compile_context, Deleter> context(pcre2_compile_context_create(nullptr));
  if (!context) return MakeError(Reason::kOutOfMemory, "no memory for a regular expression");
  // "." excludes line feed only.
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto code = std::make_unique<Code>();
  code->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                 PCRE2_UTF | PCRE2_UCP, &error, &offset, context.get()));
  if (!code->code) {
    return MakeError(Reason::kTokenizerUnsupported, absl::StrCat("regular expression ", pattern, ": ",
                                                                 ErrorText(error), " at offset ", offset));
  }
  uint32_t matches_empty = 0;
  pcre2_pattern_info(code->code.get(), PCRE2_INFO_MATCHEMPTY, &matches_empty);
  if (matches_empty != 0) {
    return MakeError(Reason::kTokenizerUnsupported,
                     absl::StrCat("regular expression ", pattern, ": it may match the empty text"));
  }
  // Where the machine cannot compile patterns to code, they are interpreted: slower, same matches.
  (void)pcre2_jit_compile(code->code.get(), PCRE2_JIT_COMPLETE);
  return std::unique_ptr<Regex>(new Regex(std::move(code)));
}

absl::StatusOr<std::unique_ptr<Regex>> Regex::Literal(absl::string_view text) {
  std::string pattern;
  for (char c : text) {
    if (absl::ascii_ispunct(c)) pattern += '\\';
    pattern += c;
  }
  return Compile(pattern);
}

absl::StatusOr<std::vector<MatchRange>> Regex::FindMatches(absl::string_view text) const {
  Scratch& scratch = ThreadScratch();
  if (!scratch.ok()) return MakeError(Reason::kOutOfMemory, "no memory to match a regular expression");
  pcre2_set_match_limit(scratch.context.get(), StepLimit(text));
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  std::vector<MatchRange> matches;
  std::size_t position = 0;
  while (position < text.size()) {
    const int found = pcre2_match(code_->code.get(), subject, text.size(), position, PCRE2_NO_UTF_CHECK,
                                  scratch.data.get(), scratch.context.get());
    if (found == PCRE2_ERROR_NOMATCH) break;
    if (found < 0) {
      return MakeError(Reason::kTokenizerUnsupported,
                       absl::StrCat("a regular expression of the tokenizer gave up at byte ", position,
                                    " of a text: ", ErrorText(found)));
    }
    const PCRE2_SIZE* span = pcre2_get_ovector_pointer(scratch.data.get());
    const TextRange range{static_cast<int64_t>(span[0]), static_cast<int64_t>(span[1])};
    if (span[0] != position) matches.push_back({{static_cast<int64_t>(position), range.begin}, false});
    matches.push_back({range, true});
    position = span[1];
  }
  if (position != text.size()) {
    matches.push_back({{static_cast<int64_t>(position), static_cast<int64_t>(text.size())}, false});
  }
  return matches;
}

}  // namespace heroq
