#include "common/tokenizer/bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::StatusOr<std::unique_ptr<Bpe>> Parse(const json& model) {
  const json file = {{"model", model}};
  Vocabulary vocabulary;
  MergeList merges;
  const json rest =
      *ParseStrictJson(file.dump(), "tokenizer.json", JsonLimits(), {vocabulary.Stream(), merges.Stream()});
  return Bpe::Parse(*JsonObject::Of(rest.at("model"), "model"), std::move(vocabulary), merges);
}

std::vector<int32_t> Encode(const json& model, absl::string_view word) {
  const absl::StatusOr<std::unique_ptr<Bpe>> bpe = Parse(model);
  EXPECT_TRUE(bpe.ok()) << bpe.status();
  std::vector<int32_t> ids;
  const absl::Status status = (*bpe)->Encode(word, &ids);
  EXPECT_TRUE(status.ok()) << status;
  return ids;
}

json Model() {
  return {
      {"type", "BPE"},
      {"vocab", {{"a", 0}, {"b", 1}, {"c", 2}, {"ab", 3}, {"bc", 4}, {"abc", 5}, {"aa", 6}, {"<unk>", 7}}},
      {"merges", json::array({"b c", "a b", "a bc", "a a"})}};
}

TEST(BpeTest, LowestRankMergesFirst) {
  // "b c" comes before "a b", and then "a bc".
  EXPECT_THAT(Encode(Model(), "abc"), ElementsAre(5));
  json model = Model();
  model["merges"] = json::array({"a b", "b c", "a bc"});
  EXPECT_THAT(Encode(model, "abc"), ElementsAre(3, 2));
}

TEST(BpeTest, LeftmostOfEqualRanksMergesFirst) {
  EXPECT_THAT(Encode(Model(), "aaaaa"), ElementsAre(6, 6, 0));
}

TEST(BpeTest, MergedTokensMergeWithTheirNeighboursOnBothSides) {
  json model = Model();
  model["vocab"]["aab"] = 8;
  model["vocab"]["caab"] = 9;
  model["merges"] = json::array({"a a", "aa b", "c aab"});
  EXPECT_THAT(Encode(model, "caab"), ElementsAre(9));
}

TEST(BpeTest, MergesMayBePairs) {
  json model = Model();
  model["merges"] = json::array({json::array({"b", "c"}), json::array({"a", "bc"})});
  EXPECT_THAT(Encode(model, "abc"), ElementsAre(5));
}

TEST(BpeTest, IgnoredMergesTakeAWordOfTheVocabularyWhole) {
  json model = Model();
  model["merges"] = json::array();
  EXPECT_THAT(Encode(model, "abc"), ElementsAre(0, 1, 2));
  model["ignore_merges"] = true;
  EXPECT_THAT(Encode(model, "abc"), ElementsAre(5));
}

TEST(BpeTest, CharactersUnknownToATokenizerWithoutUnkAreDropped) {
  EXPECT_THAT(Encode(Model(), "xay"), ElementsAre(0));
  EXPECT_THAT(Encode(Model(), "x"), IsEmpty());
}

TEST(BpeTest, UnknownCharactersBecomeUnkOneByOneOrFused) {
  json model = Model();
  model["unk_token"] = "<unk>";
  EXPECT_THAT(Encode(model, "xyaz"), ElementsAre(7, 7, 0, 7));
  model["fuse_unk"] = true;
  EXPECT_THAT(Encode(model, "xyaz"), ElementsAre(7, 0, 7));
}

TEST(BpeTest, UnkOutsideTheVocabularyIsAnErrorWhenNeeded) {
  json model = Model();
  model["unk_token"] = "<missing>";
  EXPECT_THAT(Encode(model, "ab"), ElementsAre(3));
  std::vector<int32_t> ids;
  const absl::Status status = (*Parse(model))->Encode("ax", &ids);
  EXPECT_TRUE(HasReason(status, Reason::kTokenizerUnsupported)) << status;
}

TEST(BpeTest, UnknownCharactersFallBackToTheirBytes) {
  json model = Model();
  model["unk_token"] = "<unk>";
  model["byte_fallback"] = true;
  model["vocab"]["<0xC3>"] = 8;
  model["vocab"]["<0xA9>"] = 9;
  EXPECT_THAT(Encode(model, "aé"), ElementsAre(0, 8, 9));
  // U+00E8 is C3 A8: without a token for A8 the whole character is unknown.
  EXPECT_THAT(Encode(model, "è"), ElementsAre(7));
}

TEST(BpeTest, BytesOvertakeAWaitingUnk) {
  // The library emits an unknown character at the next known one, and bytes at once.
  json model = Model();
  model["unk_token"] = "<unk>";
  model["byte_fallback"] = true;
  model["vocab"]["<0x78>"] = 8;  // x
  EXPECT_THAT(Encode(model, "yxa"), ElementsAre(8, 7, 0));
}

TEST(BpeTest, VersionLineAmongMergesIsSkipped) {
  json model = Model();
  model["merges"] = json::array({"#version: 0.2", "a b"});
  EXPECT_THAT(Encode(model, "ab"), ElementsAre(3));
}

TEST(BpeTest, EqualWordsGetEqualIdsFromTheCache) {
  const absl::StatusOr<std::unique_ptr<Bpe>> bpe = Parse(Model());
  ASSERT_TRUE(bpe.ok());
  std::vector<int32_t> ids;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*bpe)->Encode("aab", &ids).ok());
  EXPECT_THAT(ids, ElementsAre(0, 3, 0, 3, 0, 3));
}

void ExpectRefused(const json& model, Reason reason, absl::string_view named) {
  const absl::Status status = Parse(model).status();
  EXPECT_TRUE(HasReason(status, reason)) << status;
  EXPECT_NE(status.message().find(named), absl::string_view::npos) << status;
}

TEST(BpeTest, OtherModelsAndOptionsAreRefusedByName) {
  for (const char* type : {"Unigram", "WordPiece", "WordLevel"}) {
    json model = Model();
    model["type"] = type;
    ExpectRefused(model, Reason::kTokenizerUnsupported, type);
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix", "new_option"}) {
    json model = Model();
    model[key] = "##";
    ExpectRefused(model, Reason::kTokenizerUnsupported, key);
  }
  json model = Model();
  model["dropout"] = 0.1;
  ExpectRefused(model, Reason::kTokenizerUnsupported, "dropout");
  model["dropout"] = 0.0;
  EXPECT_TRUE(Parse(model).ok());
}

TEST(BpeTest, BrokenVocabularyOrMergesAreCorrupt) {
  json model = Model();
  model["merges"].push_back("a z");
  ExpectRefused(model, Reason::kFileCorrupt, "model.merges[4]");
  model["merges"][4] = "a b c";
  ExpectRefused(model, Reason::kFileCorrupt, "model.merges[4]");
  model["merges"][4] = "c a";
  ExpectRefused(model, Reason::kFileCorrupt, "\"ca\"");
  for (const json& id : {json(-1), json(2147483648), json(18446744073709551615u), json(1.0), json("0"),
                         json(nullptr), json({{"a", 0}}), json::array({0})}) {
    model = Model();
    model["vocab"]["a"] = id;
    ExpectRefused(model, Reason::kFileCorrupt, "model.vocab \"a\" must be a token id");
  }
  for (const char* field : {"vocab", "merges"}) {
    model = Model();
    model.erase(field);
    ExpectRefused(model, Reason::kFileCorrupt, field);
  }
  model["vocab"] = json::array({1});
  ExpectRefused(model, Reason::kFileCorrupt, "model.vocab must be an object");
  model = Model();
  model["merges"] = json::object({{"a", "b"}});
  ExpectRefused(model, Reason::kFileCorrupt, "model: merges must be an array");
}

TEST(BpeTest, OnlyPairsOfTokensAreMerges) {
  for (const json& merge :
       {json(1), json(nullptr), json::array({"a"}), json::array({"a", "b", "c"}), json::array({"a", 1}),
        json::array({json::array({"a", "b"}), "c"}), json({{"a", "b"}})}) {
    json model = Model();
    model["merges"].push_back(merge);
    ExpectRefused(model, Reason::kFileCorrupt, "model.merges[4] must be a pair of tokens");
  }
  for (const char* merge : {"", "ab", "a b c", "a  b"}) {
    json model = Model();
    model["merges"].push_back(merge);
    ExpectRefused(model, Reason::kFileCorrupt, "model.merges[4] must be two tokens with a space between");
  }
}

TEST(BpeTest, TheFirstBrokenMergeIsNamed) {
  json model = Model();
  model["merges"] = json::array({"#version: 0.2", "a b", "a z", 1, "b z"});
  ExpectRefused(model, Reason::kFileCorrupt, "model.merges[2]: token \"z\"");
  model["merges"][2] = "b c";
  ExpectRefused(model, Reason::kFileCorrupt, "model.merges[3] must be a pair");
}

}  // namespace
}  // namespace heroq
