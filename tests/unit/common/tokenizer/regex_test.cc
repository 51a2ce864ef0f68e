#include "common/tokenizer/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Matches(const Regex& regex, absl::string_view text) {
  const absl::StatusOr<std::vector<MatchRange>> found = regex.FindMatches(text);
  EXPECT_TRUE(found.ok()) << found.status();
  std::vector<std::string> matches;
  for (const MatchRange& match : *found) {
    if (match.is_match) matches.emplace_back(match.range.In(text));
  }
  return matches;
}

std::unique_ptr<Regex> Compiled(absl::string_view pattern) {
  absl::StatusOr<std::unique_ptr<Regex>> regex = Regex::Compile(pattern);
  EXPECT_TRUE(regex.ok()) << regex.status();
  return *std::move(regex);
}

TEST(RegexTest, MatchesAndGapsCoverTheText) {
  const absl::StatusOr<std::vector<MatchRange>> found = Compiled("b+")->FindMatches("abbcb");
  ASSERT_TRUE(found.ok());
  std::string shape;
  int64_t end = 0;
  for (const MatchRange& match : *found) {
    EXPECT_EQ(match.range.begin, end);
    end = match.range.end;
    shape += match.is_match ? 'm' : '-';
  }
  EXPECT_EQ(end, 5);
  EXPECT_EQ(shape, "-m-m");
}

TEST(RegexTest, WhiteSpaceIsUnicodeWhiteSpace) {
  const std::unique_ptr<Regex> regex = Compiled(R"(\s)");
  // Next line, no-break space, line separator.
  EXPECT_THAT(Matches(*regex, "\u0085\u00a0\u2028"), ElementsAre("\u0085", "\u00a0", "\u2028"));
  // The Mongolian vowel separator is not white space since Unicode 6.3.
  EXPECT_THAT(Matches(*regex, "\u180e"), IsEmpty());
}

TEST(RegexTest, LettersFoldAsUnicodeSays) {
  // U+017F is the long s.
  EXPECT_THAT(Matches(*Compiled("(?i:'s)"), "'s'S'\u017f's"), ElementsAre("'s", "'S", "'\u017f", "'s"));
}

TEST(RegexTest, DotExcludesLineFeedOnly) {
  EXPECT_THAT(Matches(*Compiled("."), "a\n\r"), ElementsAre("a", "\r"));
}

TEST(RegexTest, LiteralTakesEveryCharacterAsItIs) {
  absl::StatusOr<std::unique_ptr<Regex>> regex = Regex::Literal("a.(é\\E ");
  ASSERT_TRUE(regex.ok()) << regex.status();
  EXPECT_THAT(Matches(**regex, "aX(é\\E a.(é\\E !"), ElementsAre("a.(é\\E "));
}

TEST(RegexTest, LongRunsUnderNestedRepetitionMatch) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "ab";
  EXPECT_THAT(Matches(*Compiled("(?:a|b|cd)+"), text), ElementsAre(text));
}

// What a search over the whole text at once would find, too: alternatives, lookarounds and classes at every
// distance from the end of a window.
TEST(RegexTest, MatchesDoNotDependOnHowFarTheMatcherLooksFirst) {
  const std::unique_ptr<Regex> runs = Compiled(R"(a+b|a|\s+(?!\S)|\s+|é+)");
  for (const int length : {1, 254, 255, 256, 257, 258, 1023, 1024, 1025}) {
    const std::string a(length, 'a');
    EXPECT_THAT(Matches(*runs, a + "b"), ElementsAre(a + "b")) << length;
    EXPECT_EQ(Matches(*runs, a + "c").size(), static_cast<size_t>(length)) << "one by one";
    // The last white space belongs to the word behind it.
    const std::string spaces(length, ' ');
    if (length > 1) {
      EXPECT_THAT(Matches(*runs, spaces + "x"), ElementsAre(spaces.substr(1), " ")) << length;
    }
    EXPECT_THAT(Matches(*runs, spaces), ElementsAre(spaces)) << length;
    std::string accents;
    for (int i = 0; i < length; ++i) accents += "é";
    EXPECT_THAT(Matches(*runs, "x" + accents + "y"), ElementsAre(accents)) << length;
    EXPECT_THAT(Matches(*runs, std::string(length, '-') + "b" + a + "b"), ElementsAre(a + "b")) << length;
  }
}

// Each would take hours.
TEST(RegexTest, CatastrophicPatternsGiveUpNamingThemselvesAndTheLimit) {
  const std::string text(1 << 20, 'a');
  const auto refusal = [&](absl::string_view pattern) {
    const absl::Status status = Compiled(pattern)->FindMatches(text).status();
    EXPECT_TRUE(HasReason(status, Reason::kTokenizerUnsupported)) << status;
    EXPECT_THAT(status.message(),
                HasSubstr(absl::StrCat("regular expression ", pattern, " gave up at byte ")));
    return std::string(status.message());
  };
  EXPECT_THAT(refusal("(?:a+)+b|a"), HasSubstr("backtracks for more than "));
  EXPECT_THAT(refusal("(?:a|aa)+b|a"), HasSubstr("backtracks for more than "));
  EXPECT_THAT(refusal("a+b|a"), HasSubstr("looks ahead at more than 68157440 bytes for a text of 1048576"));
  EXPECT_THAT(refusal("[^z]+z|[^z]"), HasSubstr("looks ahead at more than"));
}

TEST(RegexTest, PatternThatMatchesNothingAtAllIsRefused) {
  const absl::Status status = Regex::Compile("a*").status();
  EXPECT_TRUE(HasReason(status, Reason::kTokenizerUnsupported)) << status;
}

TEST(RegexTest, MalformedPatternIsRefused) {
  const absl::Status status = Regex::Compile("[z-a]").status();
  EXPECT_TRUE(HasReason(status, Reason::kTokenizerUnsupported)) << status;
}

}  // namespace
}  // namespace heroq
