#include "common/tokenizer/regex_dialect.h"

#include <array>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/tokenizer_limits.h"

namespace heroq {
namespace {

bool IsGeneralCategory(absl::string_view name) {
  static constexpr std::array<absl::string_view, 37> kNames = {
      "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd", "Nl",
      "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk",
      "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Cs", "Co", "Cn"};
  for (absl::string_view known : kNames) {
    if (name == known) return true;
  }
  return false;
}

// Two ASCII letters that Oniguruma also folds with one character (as ß with ss), which PCRE2 does not.
bool FoldsWithOneCharacter(absl::string_view pair) {
  const std::string lower = absl::AsciiStrToLower(pair);
  for (absl::string_view known : {"ss", "st", "ff", "fi", "fl"}) {
    if (lower == known) return true;
  }
  return false;
}

class Translator {
 public:
  explicit Translator(absl::string_view pattern) : pattern_(pattern) {}

  absl::StatusOr<std::string> Run() {
    if (pattern_.size() > kMaxPatternBytes) {
      return MakeError(Reason::kTokenizerUnsupported,
                       absl::StrCat("a regular expression of ", pattern_.size(), " bytes, expected at most ",
                                    kMaxPatternBytes));
    }
    while (position_ < pattern_.size()) HEROQ_RETURN_IF_ERROR(Step());
    if (!caseless_.empty()) return Unsupported("an unclosed group");
    return out_;
  }

 private:
  absl::Status Unsupported(absl::string_view construct) const {
    return MakeError(Reason::kTokenizerUnsupported, absl::StrCat("regular expression ", pattern_, ": ",
                                                                 construct, " at offset ", position_));
  }

  bool At(absl::string_view text) const { return absl::StartsWith(pattern_.substr(position_), text); }
  bool Caseless() const { return !caseless_.empty() && caseless_.back(); }
  void Copy(std::size_t count) {
    absl::StrAppend(&out_, pattern_.substr(position_, count));
    position_ += count;
  }

  absl::Status Step() {
    const char c = pattern_[position_];
    if (c == '(') return OpenGroup();
    if (Caseless() && (c == '[' || c == '\\' || c == '.' || !absl::ascii_isascii(c))) {
      return Unsupported("something else than ASCII letters under (?i:");
    }
    switch (c) {
      case ')':
        if (caseless_.empty()) return Unsupported("an unopened group");
        caseless_.pop_back();
        Copy(1);
        return Quantifier();
      case '[':
        return Class();
      case '\\':
        HEROQ_RETURN_IF_ERROR(Escape());
        return Quantifier();
      case '^':
      case '$':
        return Unsupported("an anchor");
      case '*':
      case '+':
      case '?':
      case '{':
        // {n}? and {n}+ mean "optional" and "again" to Oniguruma, lazy and possessive to PCRE2.
        return Unsupported("a quantifier of nothing or of another quantifier");
      case '|':
        Copy(1);
        return absl::OkStatus();
      default:
        if (Caseless() && FoldsWithOneCharacter(pattern_.substr(position_, 2))) {
          return Unsupported("letters that fold with a ligature under (?i:");
        }
        do {
          Copy(1);
        } while (position_ < pattern_.size() && (pattern_[position_] & 0xC0) == 0x80);
        return Quantifier();
    }
  }

  absl::Status OpenGroup() {
    bool caseless = Caseless();
    if (At("(?:") || At("(?=") || At("(?!")) {
      Copy(3);
    } else if (At("(?i:")) {
      Copy(4);
      caseless = true;
    } else if (At("(?") || At("(*")) {
      return Unsupported("a group of an unknown kind");
    } else {
      Copy(1);
    }
    caseless_.push_back(caseless);
    return absl::OkStatus();
  }

  // Takes the quantifier of what was just copied, if there is one.
  absl::Status Quantifier() {
    if (At("{")) return Interval();
    if (At("?") || At("*") || At("+")) {
      Copy(1);
      if (At("?") || At("+")) Copy(1);
    }
    return absl::OkStatus();
  }

  absl::Status Interval() {
    std::size_t end = position_ + 1;
    const std::size_t first = end;
    while (end < pattern_.size() && absl::ascii_isdigit(pattern_[end])) ++end;
    const bool has_first = end > first;
    if (end < pattern_.size() && pattern_[end] == ',') {
      ++end;
      while (end < pattern_.size() && absl::ascii_isdigit(pattern_[end])) ++end;
    }
    if (!has_first || end >= pattern_.size() || pattern_[end] != '}')
      return Unsupported("a brace that is no interval");
    Copy(end + 1 - position_);
    return absl::OkStatus();
  }

  absl::Status Class() {
    Copy(1);
    if (At("^")) Copy(1);
    if (At("]")) return Unsupported("an empty class");
    while (position_ < pattern_.size() && pattern_[position_] != ']') {
      if (At("[")) return Unsupported("a class inside a class");
      if (At("&&")) return Unsupported("an intersection of classes");
      if (At("\\")) {
        HEROQ_RETURN_IF_ERROR(Escape());
      } else {
        Copy(1);
      }
    }
    if (position_ >= pattern_.size()) return Unsupported("an unclosed class");
    Copy(1);
    return Quantifier();
  }

  absl::Status Escape() {
    if (position_ + 1 >= pattern_.size()) return Unsupported("a lone backslash");
    const char c = pattern_[position_ + 1];
    switch (c) {
      case 's':
      case 'S':
        absl::StrAppend(&out_, c == 's' ? "\\p{White_Space}" : "\\P{White_Space}");
        position_ += 2;
        return absl::OkStatus();
      case 'd':
      case 'D':
      case 'r':
      case 'n':
      case 't':
      case 'f':
        Copy(2);
        return absl::OkStatus();
      case 'v':
        absl::StrAppend(&out_, "\\x{0b}");
        position_ += 2;
        return absl::OkStatus();
      case 'p':
      case 'P':
        return Property();
      case 'u':
        return CodePoint(position_ + 2, position_ + 6, position_ + 6);
      case 'x':
        if (!absl::StartsWith(pattern_.substr(position_), "\\x{"))
          return Unsupported("an escape of an unknown kind");
        if (const std::size_t end = pattern_.find('}', position_); end != absl::string_view::npos) {
          return CodePoint(position_ + 3, end, end + 1);
        }
        return Unsupported("an unclosed escape");
      default:
        if (!absl::ascii_ispunct(c)) return Unsupported(absl::StrCat("\\", std::string(1, c)));
        Copy(2);
        return absl::OkStatus();
    }
  }

  absl::Status CodePoint(std::size_t begin, std::size_t end, std::size_t next) {
    if (end > pattern_.size() || end == begin) return Unsupported("an escape of an unknown kind");
    for (std::size_t i = begin; i < end; ++i) {
      if (!absl::ascii_isxdigit(pattern_[i])) return Unsupported("an escape of an unknown kind");
    }
    absl::StrAppend(&out_, "\\x{", pattern_.substr(begin, end - begin), "}");
    position_ = next;
    return absl::OkStatus();
  }

  absl::Status Property() {
    const std::size_t end = pattern_.find('}', position_);
    if (position_ + 2 >= pattern_.size() || pattern_[position_ + 2] != '{' ||
        end == absl::string_view::npos) {
      return Unsupported("a property without braces");
    }
    const absl::string_view name = pattern_.substr(position_ + 3, end - position_ - 3);
    if (!IsGeneralCategory(name)) return Unsupported(absl::StrCat("\\p{", name, "}"));
    Copy(end + 1 - position_);
    return absl::OkStatus();
  }

  const absl::string_view pattern_;
  std::size_t position_ = 0;
  std::string out_;
  std::vector<bool> caseless_;  // one per open group
};

}  // namespace

absl::StatusOr<std::string> TranslatePattern(absl::string_view pattern) { return Translator(pattern).Run(); }

}  // namespace heroq
