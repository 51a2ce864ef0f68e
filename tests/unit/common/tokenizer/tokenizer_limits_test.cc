#include "common/tokenizer/tokenizer_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/status/error_reason.h"
#include "common/tokenizer/normalizer.h"
#include "common/tokenizer/post_processor.h"
#include "common/tokenizer/pre_tokenizer.h"
#include "common/tokenizer/regex.h"
#include "common/tokenizer/tokenizer.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

void ExpectUnsupported(const absl::Status& status, const std::string& rule) {
  EXPECT_TRUE(HasReason(status, Reason::kTokenizerUnsupported)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(rule));
}

json Repeat(const json& element, int times) {
  json array = json::array();
  for (int i = 0; i < times; ++i) array.push_back(element);
  return array;
}

json Double() { return {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}}; }

json File() {
  return {{"version", "1.0"},
          {"added_tokens", json::array()},
          {"model", {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", json::array()}}}};
}

json Added(int id, const std::string& content) {
  return {{"id", id},       {"content", content}, {"single_word", false},
          {"lstrip", true}, {"rstrip", true},     {"normalized", false}};
}

TEST(TokenizerLimitsTest, TextsThatGrowWithoutBoundAreRefused) {
  const auto normalizer =
      Normalizer::Parse({{"type", "Sequence"}, {"normalizers", Repeat(Double(), 60)}}, "n");
  ASSERT_TRUE(normalizer.ok()) << normalizer.status();
  ExpectUnsupported((*normalizer)->Normalize("a").status(), "rewrites a text of 1 bytes");
  const json once = {
      {"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(100'000, 'b')}};
  ExpectUnsupported((*Normalizer::Parse(once, "n"))->Normalize("a").status(), "rewrites a text of 1 bytes");
  const json prepend = {{"type", "Prepend"}, {"prepend", std::string(100'000, 'b')}};
  ExpectUnsupported((*Normalizer::Parse(prepend, "n"))->Normalize("a").status(),
                    "rewrites a text of 1 bytes");
}

TEST(TokenizerLimitsTest, SixteenTimesTheTextIsAllowed) {
  const auto normalizer =
      Normalizer::Parse({{"type", "Sequence"}, {"normalizers", Repeat(Double(), 4)}}, "n");
  EXPECT_EQ((*normalizer)->Normalize(std::string(10'000, 'a'))->size(), 160'000);
}

TEST(TokenizerLimitsTest, WordsThatGrowWithoutBoundAreRefused) {
  const json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", false}};
  const auto sequence =
      PreTokenizer::Parse({{"type", "Sequence"}, {"pretokenizers", Repeat(byte_level, 40)}}, "p");
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  Pieces pieces{"\u00e9", {{0, 2}}, true};
  ExpectUnsupported((*sequence)->Apply(&pieces), "rewrites a text of 2 bytes");
}

TEST(TokenizerLimitsTest, StepsOfAllSequencesTogetherAreCounted) {
  json file = File();
  const json inner = {{"type", "Sequence"}, {"normalizers", Repeat(Double(), 8)}};
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", Repeat(inner, 7)}};
  EXPECT_TRUE(Tokenizer::Load(file.dump(), "tokenizer.json").ok());
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", Repeat(inner, 8)}};
  ExpectUnsupported(Tokenizer::Load(file.dump(), "tokenizer.json").status(),
                    "normalizer: more than 64 steps");
}

TEST(TokenizerLimitsTest, TemplatesStopAtTheLimit) {
  const auto processor = [](int parts, int ids) {
    return PostProcessor::Parse({{"type", "TemplateProcessing"},
                                 {"single", Repeat({{"SpecialToken", {{"id", "s"}}}}, parts)},
                                 {"special_tokens", {{"s", {{"ids", Repeat(1, ids)}}}}}},
                                "post_processor")
        .status();
  };
  EXPECT_TRUE(processor(64, 64).ok());
  ExpectUnsupported(processor(65, 1), "a template of more than 64 parts");
  ExpectUnsupported(processor(1, 65), "a special token of more than 64 ids");
}

TEST(TokenizerLimitsTest, AddedTokensStopAtTheLimit) {
  json file = File();
  file["added_tokens"] = {Added(1, std::string(1025, 'x'))};
  ExpectUnsupported(Tokenizer::Load(file.dump(), "tokenizer.json").status(),
                    "a token of more than 1024 bytes");
  file["added_tokens"] = json::array();
  for (int i = 1; i <= 1025; ++i)
    file["added_tokens"].push_back(Added(i, std::string(1019, 'x') + std::to_string(10'000 + i)));
  ExpectUnsupported(Tokenizer::Load(file.dump(), "tokenizer.json").status(), "1048576 bytes of tokens");
  file["added_tokens"].erase(1024);
  EXPECT_TRUE(Tokenizer::Load(file.dump(), "tokenizer.json").ok());
}

TEST(TokenizerLimitsTest, PatternsThatBacktrackWithoutEndAreRefused) {
  const auto regex = Regex::Compile("(?:a|aa)+[bc]");
  ASSERT_TRUE(regex.ok()) << regex.status();
  ExpectUnsupported((*regex)->FindMatches(std::string(1000, 'a')).status(), "gave up at byte 0");
}

TEST(TokenizerLimitsTest, LongRunsOfWhiteSpaceAreNoBacktrackingWithoutEnd) {
  const auto regex = Regex::Compile("\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+|\\S+");
  ASSERT_TRUE(regex.ok()) << regex.status();
  const auto matches = (*regex)->FindMatches(std::string(3'000'000, ' ') + "a");
  ASSERT_TRUE(matches.ok()) << matches.status();
  EXPECT_EQ(matches->size(), 3);
}

TEST(TokenizerLimitsTest, PatternsStopAtTheLimit) {
  EXPECT_TRUE(Regex::Compile(std::string(4096, 'a')).ok());
  ExpectUnsupported(Regex::Compile(std::string(4097, 'a')).status(), "a regular expression of 4097 bytes");
}

TEST(TokenizerLimitsTest, WhiteSpaceTokensTakeTimeLinearInTheText) {
  json file = File();
  file["added_tokens"] = {Added(1, " ")};
  const auto tokenizer = Tokenizer::Load(file.dump(), "tokenizer.json");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  // Every blank is a token, the first of which takes the others along. Quadratic work would take minutes.
  const auto ids = (*tokenizer)->Encode(std::string(1'000'000, ' ') + "a", false);
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_EQ(ids->size(), 1'000'001);
}

}  // namespace
}  // namespace heroq
