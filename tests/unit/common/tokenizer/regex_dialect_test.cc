#include "common/tokenizer/regex_dialect.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

void ExpectTranslation(absl::string_view pattern, absl::string_view expected) {
  const absl::StatusOr<std::string> translated = TranslatePattern(pattern);
  ASSERT_TRUE(translated.ok()) << translated.status();
  EXPECT_EQ(*translated, expected);
}

TEST(RegexDialectTest, PatternsOfLlama3StayButForWhiteSpace) {
  ExpectTranslation(
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\p{White_Space}\p{L}\p{N}]+[\r\n]*|\p{White_Space}*[\r\n]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+)");
}

TEST(RegexDialectTest, CodePointsAreSpelledForPcre) {
  ExpectTranslation(R"([\u4e00-\u9fa5]+|\x{1F600}|\v|\.)", R"([\x{4e00}-\x{9fa5}]+|\x{1F600}|\x{0b}|\.)");
}

TEST(RegexDialectTest, PossessiveAndLazyQuantifiersStay) {
  ExpectTranslation(R"([^a]?+b++c*?(d|é)+)", R"([^a]?+b++c*?(d|é)+)");
}

class RefusedPatternTest : public ::testing::TestWithParam<const char*> {};

TEST_P(RefusedPatternTest, IsNamedInTheError) {
  const absl::Status status = TranslatePattern(GetParam()).status();
  EXPECT_TRUE(HasReason(status, Reason::kTokenizerUnsupported)) << status;
  EXPECT_NE(status.message().find(GetParam()), absl::string_view::npos) << status;
}

// Each means something else to Oniguruma than to PCRE2, or is not known.
INSTANTIATE_TEST_SUITE_P(Constructs, RefusedPatternTest,
                         ::testing::Values(R"(\w+)", R"(\bx)", R"(\h)", R"(\R)", "^a", "a$", "a{2}+", "a{2}?",
                                           "a{,3}", "a**", "(?<name>a)", "(?<=a)b", R"((a)\1)", R"(\p{Han})",
                                           R"(\pL)", R"(\p{^L})", "[a[b]]", "[a&&b]", "[]a]", "[[:alpha:]]",
                                           "(?i:[a-z])", "(?i:é)", "(?i:lass)", "(?i:St)", "(?m:a)", "(?i)a",
                                           "(a", "a)", "[a", "*a", R"(\u12)", R"(\x41)", "\\"));

}  // namespace
}  // namespace heroq
