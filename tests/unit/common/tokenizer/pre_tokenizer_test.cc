#include "common/tokenizer/pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

std::vector<std::string> Words(const json& pre_tokenizer, absl::string_view text, bool at_start = true) {
  const absl::StatusOr<std::unique_ptr<PreTokenizer>> parsed =
      PreTokenizer::Parse(pre_tokenizer, "pre_tokenizer");
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  Pieces pieces{std::string(text), {{0, static_cast<int64_t>(text.size())}}, at_start};
  const absl::Status status = (*parsed)->Apply(&pieces);
  EXPECT_TRUE(status.ok()) << status;
  std::vector<std::string> words;
  for (const TextRange& range : pieces.ranges) words.emplace_back(range.In(pieces.text));
  return words;
}

json Split(const json& pattern, const char* behavior, bool invert = false) {
  return {{"type", "Split"}, {"pattern", pattern}, {"behavior", behavior}, {"invert", invert}};
}

json Metaspace(const char* scheme, bool split) {
  return {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", scheme}, {"split", split}};
}

TEST(PreTokenizerTest, SplitCutsAtThePatternOrBetweenMatches) {
  EXPECT_THAT(Words(Split({{"Regex", "\\d+"}}, "Removed"), "a12b3"), ElementsAre("a", "b"));
  EXPECT_THAT(Words(Split({{"Regex", "\\d+"}}, "Removed", true), "a12b3"), ElementsAre("12", "3"));
  EXPECT_THAT(Words(Split({{"String", "."}}, "MergedWithPrevious"), "a.b"), ElementsAre("a.", "b"));
}

TEST(PreTokenizerTest, DigitsAreCutOneByOneOrInRuns) {
  EXPECT_THAT(Words({{"type", "Digits"}, {"individual_digits", true}}, "a12\u00bdb"),
              ElementsAre("a", "1", "2", "\u00bd", "b"));
  EXPECT_THAT(Words({{"type", "Digits"}, {"individual_digits", false}}, "a12\u00bdb"),
              ElementsAre("a", "12\u00bd", "b"));
}

TEST(PreTokenizerTest, ByteLevelCutsByThePatternOfGpt2) {
  const json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};
  // The last space of a run goes with the word behind it.
  EXPECT_THAT(Words(byte_level, "it's  x1\u00e9"),
              ElementsAre("it", "'s", "\u0120", "\u0120x", "1", "\u00c3\u00a9"));
}

TEST(PreTokenizerTest, ByteLevelPutsASpaceBeforeAPieceThatHasNone) {
  const json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", false}};
  EXPECT_THAT(Words(byte_level, "a"), ElementsAre("\u0120a"));
  EXPECT_THAT(Words(byte_level, " a b"), ElementsAre("\u0120a\u0120b"));
}

TEST(PreTokenizerTest, MetaspaceCutsBeforeEverySpace) {
  EXPECT_THAT(Words(Metaspace("always", true), "a b  c"),
              ElementsAre("\u2581a", "\u2581b", "\u2581", "\u2581c"));
  EXPECT_THAT(Words(Metaspace("never", true), "a b"), ElementsAre("a", "\u2581b"));
  EXPECT_THAT(Words(Metaspace("always", false), " a b"), ElementsAre("\u2581a\u2581b"));
}

TEST(PreTokenizerTest, MetaspaceFirstPrependsOnlyWhereTheDocumentBegins) {
  EXPECT_THAT(Words(Metaspace("first", false), "a b", true), ElementsAre("\u2581a\u2581b"));
  EXPECT_THAT(Words(Metaspace("first", false), "a b", false), ElementsAre("a\u2581b"));
  const json sequence = {{"type", "Sequence"},
                         {"pretokenizers", {Split({{"String", "-"}}, "Removed"), Metaspace("first", false)}}};
  EXPECT_THAT(Words(sequence, "a-b"), ElementsAre("\u2581a", "b"));
}

TEST(PreTokenizerTest, SequenceAppliesInOrder) {
  const json sequence = {{"type", "Sequence"},
                         {"pretokenizers",
                          {{{"type", "Digits"}, {"individual_digits", true}},
                           {{"type", "ByteLevel"}, {"add_prefix_space", false}}}}};
  EXPECT_THAT(Words(sequence, "x 12"), ElementsAre("x", "\u0120", "1", "2"));
}

TEST(PreTokenizerTest, EveryStepCutsInsideThePiecesOfTheOneBefore) {
  const json sequence = {{"type", "Sequence"},
                         {"pretokenizers",
                          {Split({{"String", "-"}}, "Removed"),
                           {{"type", "Digits"}, {"individual_digits", true}},
                           Split({{"Regex", "b"}}, "Isolated")}}};
  EXPECT_THAT(Words(sequence, "a1-2abc-d"), ElementsAre("a", "1", "2", "a", "b", "c", "d"));
}

void ExpectRefused(const json& pre_tokenizer, Reason reason, absl::string_view named) {
  const absl::Status status = PreTokenizer::Parse(pre_tokenizer, "pre_tokenizer").status();
  EXPECT_TRUE(HasReason(status, reason)) << status;
  EXPECT_NE(status.message().find(named), absl::string_view::npos) << status;
}

TEST(PreTokenizerTest, OthersAreRefusedByName) {
  for (const char* type :
       {"Whitespace", "WhitespaceSplit", "BertPreTokenizer", "Punctuation", "UnicodeScripts"}) {
    ExpectRefused({{"type", type}}, Reason::kTokenizerUnsupported, type);
  }
  ExpectRefused(Split({{"Regex", "\\w+"}}, "Isolated"), Reason::kTokenizerUnsupported, "\\w");
  ExpectRefused(Split({{"Regex", "a"}}, "Sideways"), Reason::kTokenizerUnsupported, "Sideways");
  ExpectRefused(Metaspace("second", true), Reason::kTokenizerUnsupported, "second");
  ExpectRefused(
      {{"type", "Sequence"}, {"pretokenizers", {Metaspace("never", true), Metaspace("first", true)}}},
      Reason::kTokenizerUnsupported, "prepend_scheme first");
}

TEST(PreTokenizerTest, BrokenOnesAreCorrupt) {
  ExpectRefused({{"type", "Digits"}}, Reason::kFileCorrupt, "individual_digits");
  json metaspace = Metaspace("always", true);
  metaspace["add_prefix_space"] = false;
  ExpectRefused(metaspace, Reason::kFileCorrupt, "add_prefix_space");
  metaspace = Metaspace("always", true);
  metaspace["replacement"] = "__";
  ExpectRefused(metaspace, Reason::kFileCorrupt, "replacement");
}

}  // namespace
}  // namespace heroq
