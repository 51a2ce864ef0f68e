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

// A match is looked for in a window that grows while the matcher runs against its end, so that what a match
// costs depends on how far it reaches and not on the text behind it.
constexpr std::size_t kFirstWindow = 256;
constexpr std::size_t kWindowGrowth = 4;

// Steps of one search. Backtracking over a run is linear in it; what takes more is a pattern that does not
// end.
uint32_t StepLimit(std::size_t window) {
  constexpr std::size_t kFree = 10'000;
  constexpr std::size_t kPerByte = 16;
  return static_cast<uint32_t>(
      std::min<std::size_t>(kFree + kPerByte * window, std::numeric_limits<uint32_t>::max()));
}

// Bytes of grown windows over a whole text. Matches that reach far also take much of the text with them; what
// needs more looks far ahead again and again.
std::size_t ReachLimit(std::size_t text) {
  constexpr std::size_t kFree = std::size_t{1} << 20;
  constexpr std::size_t kPerByte = 64;
  return kFree + kPerByte * text;
}

// The end of a window of `size` bytes from `position`, between two characters.
std::size_t WindowEnd(absl::string_view text, std::size_t position, std::size_t size) {
  if (size >= text.size() - position) return text.size();
  std::size_t end = position + size;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end;
}

// At most 100 bytes of it, for a message.
std::string Shortened(absl::string_view pattern) {
  constexpr std::size_t kShown = 100;
  return pattern.size() <= kShown ? std::string(pattern) : absl::StrCat(pattern.substr(0, kShown), "…");
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
  std::string pattern;
  std::unique_ptr<pcre2_code, Deleter> code;

  absl::Status GaveUp(std::size_t position, absl::string_view why) const {
    return MakeError(Reason::kTokenizerUnsupported,
                     absl::StrCat("regular expression ", Shortened(pattern), " gave up at byte ", position,
                                  " of a text: ", why));
  }
  // Why the engine returned `error`.
  absl::Status EngineError(std::size_t position, std::size_t window, int error) const {
    switch (error) {
      case PCRE2_ERROR_MATCHLIMIT:
      case PCRE2_ERROR_DEPTHLIMIT:
        return GaveUp(position, absl::StrCat("it backtracks for more than ", StepLimit(window),
                                             " steps within ", window, " bytes"));
      case PCRE2_ERROR_HEAPLIMIT:
      case PCRE2_ERROR_JIT_STACKLIMIT:
        return GaveUp(position,
                      absl::StrCat("it needs more than ", kLargestStack >> 20, " MiB to backtrack"));
      default:
        return GaveUp(position, ErrorText(error));
    }
  }

  // Whether there is a match from `position` on; `scratch` holds it then. What was looked at in vain is taken
  // from `reach_left`.
  absl::StatusOr<bool> FindNext(absl::string_view text, std::size_t position, std::size_t& reach_left,
                                Scratch& scratch) const {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    for (std::size_t size = kFirstWindow;; size *= kWindowGrowth) {
      const std::size_t end = WindowEnd(text, position, size);
      const std::size_t window = end - position;
      const bool last = end == text.size();
      pcre2_set_match_limit(scratch.context.get(), StepLimit(window));
      pcre2_set_depth_limit(scratch.context.get(), StepLimit(window));
      // A partial match is one that more text could change.
      const uint32_t partial = last ? 0 : PCRE2_PARTIAL_HARD;
      const int found = pcre2_match(code.get(), subject, end, position, PCRE2_NO_UTF_CHECK | partial,
                                    scratch.data.get(), scratch.context.get());
      if (found >= 0) return true;
      if (last && found == PCRE2_ERROR_NOMATCH) return false;
      if (found != PCRE2_ERROR_PARTIAL && found != PCRE2_ERROR_NOMATCH) {
        return EngineError(position, window, found);
      }
      if (window > reach_left) {
        return GaveUp(position, absl::StrCat("it looks ahead at more than ", ReachLimit(text.size()),
                                             " bytes for a text of ", text.size()));
      }
      reach_left -= window;
    }
  }
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
  code->pattern = std::string(pattern);
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
  (void)pcre2_jit_compile(code->code.get(), PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
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
  std::vector<MatchRange> matches;
  std::size_t position = 0;
  std::size_t reach_left = ReachLimit(text.size());
  while (position < text.size()) {
    HEROQ_ASSIGN_OR_RETURN(const bool found, code_->FindNext(text, position, reach_left, scratch));
    if (!found) break;
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
