#include "common/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

json Added(int id, const char* content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

// Characters are tokens; "<s>" goes in front.
json File() {
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", {Added(5, "<s>")}},
          {"normalizer", nullptr},
          {"pre_tokenizer", nullptr},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}},
            {"pair", json::array()},
            {"special_tokens", {{"<s>", {{"ids", {5}}}}}}}},
          {"decoder", nullptr},
          {"model",
           {{"type", "BPE"},
            {"vocab", {{"a", 0}, {"b", 1}, {" ", 2}, {"_", 3}, {"ab", 4}}},
            {"merges", {"a b"}}}}};
}

std::unique_ptr<Tokenizer> Load(const json& file) {
  absl::StatusOr<std::unique_ptr<Tokenizer>> tokenizer = Tokenizer::Load(file.dump(), "tokenizer.json");
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return *std::move(tokenizer);
}

std::vector<int32_t> Encode(const json& file, absl::string_view text, bool add_special_tokens = false) {
  const absl::StatusOr<std::vector<int32_t>> ids = Load(file)->Encode(text, add_special_tokens);
  EXPECT_TRUE(ids.ok()) << ids.status();
  return *ids;
}

TEST(TokenizerTest, BosStandsOnceBeforeEveryDocument) {
  EXPECT_THAT(Encode(File(), "ab a", true), ElementsAre(5, 4, 2, 0));
  EXPECT_THAT(Encode(File(), "ab a", false), ElementsAre(4, 2, 0));
  EXPECT_THAT(Encode(File(), "", true), ElementsAre(5));
  EXPECT_THAT(Encode(File(), "", false), IsEmpty());
}

TEST(TokenizerTest, SpecialTokensInTheTextAreTokens) {
  EXPECT_THAT(Encode(File(), "a<s>b", false), ElementsAre(0, 5, 1));
  EXPECT_THAT(Encode(File(), "a<s", false), ElementsAre(0));
}

TEST(TokenizerTest, LongestAddedTokenWins) {
  json file = File();
  file["added_tokens"].push_back(Added(6, "<s><s>"));
  EXPECT_THAT(Encode(file, "<s><s><s>"), ElementsAre(6, 5));
}

TEST(TokenizerTest, AddedTokensTakeWhiteSpaceAlong) {
  json file = File();
  file["added_tokens"][0]["lstrip"] = true;
  EXPECT_THAT(Encode(file, "a \n<s> b"), ElementsAre(0, 5, 2, 1));
  file["added_tokens"][0]["rstrip"] = true;
  EXPECT_THAT(Encode(file, "a <s> <s> b"), ElementsAre(0, 5, 5, 1));
}

TEST(TokenizerTest, SingleWordsMatchBetweenNonWordCharacters) {
  json file = File();
  file["added_tokens"][0] = Added(5, "ab");
  file["added_tokens"][0]["id"] = 4;  // its id in the vocabulary
  file["added_tokens"][0]["single_word"] = true;
  file["post_processor"] = nullptr;
  file["model"]["merges"] = json::array();
  EXPECT_THAT(Encode(file, "ab ab"), ElementsAre(4, 2, 4));
  EXPECT_THAT(Encode(file, "_ab"), ElementsAre(3, 0, 1));
  EXPECT_THAT(Encode(file, "ab\u00e9"), ElementsAre(0, 1));
}

TEST(TokenizerTest, NormalizedTokensAreMatchedBehindNormalization) {
  json file = File();
  file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "_"}};
  file["added_tokens"].push_back(Added(6, "a b"));
  EXPECT_THAT(Encode(file, "a_b"), ElementsAre(0, 3, 1));
  file["added_tokens"][1]["normalized"] = true;
  EXPECT_THAT(Encode(file, "a_b"), ElementsAre(6));
  EXPECT_THAT(Encode(file, "a b"), ElementsAre(6));
}

TEST(TokenizerTest, EveryPieceBetweenTokensIsNormalizedByItself) {
  json file = File();
  file["normalizer"] = {{"type", "Prepend"}, {"prepend", "_"}};
  EXPECT_THAT(Encode(file, "a<s>b"), ElementsAre(3, 0, 5, 3, 1));
}

TEST(TokenizerTest, OnlyThePieceAtTheStartOfTheDocumentGetsTheFirstMetaspace) {
  json file = File();
  file["pre_tokenizer"] = {
      {"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "first"}, {"split", false}};
  EXPECT_THAT(Encode(file, "a<s>b"), ElementsAre(3, 0, 5, 1));
  EXPECT_THAT(Encode(file, "<s>b"), ElementsAre(5, 1));
}

TEST(TokenizerTest, VocabSizeIsBehindTheLargestId) {
  EXPECT_EQ(Load(File())->vocab_size(), 6);
  json file = File();
  file["model"]["vocab"]["z"] = 99;
  file["added_tokens"][0]["id"] = 6;  // the vocabulary has six entries
  EXPECT_EQ(Load(file)->vocab_size(), 100);
}

TEST(TokenizerTest, ThreadsShareOneTokenizer) {
  const std::unique_ptr<Tokenizer> tokenizer = Load(File());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_THAT(*tokenizer->Encode("ab a ab", true), ElementsAre(5, 4, 2, 0, 2, 4));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(TokenizerTest, InvalidUtf8IsRefusedWithItsOffset) {
  const absl::Status status = Load(File())->Encode("ab\xff", true).status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec)) << status;
  EXPECT_NE(status.message().find("byte 2"), absl::string_view::npos) << status;
}

void ExpectRefused(const std::string& text, Reason reason, absl::string_view named) {
  const absl::Status status = Tokenizer::Load(text, "dir/tokenizer.json").status();
  EXPECT_TRUE(HasReason(status, reason)) << status;
  EXPECT_NE(status.message().find("dir/tokenizer.json"), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find(named), absl::string_view::npos) << status;
}

TEST(TokenizerTest, WhatIsNotImplementedIsRefusedWithAHint) {
  json file = File();
  file["model"]["type"] = "Unigram";
  ExpectRefused(file.dump(), Reason::kTokenizerUnsupported, "Unigram");
  ExpectRefused(file.dump(), Reason::kTokenizerUnsupported, "--calibration-tokens");
  file = File();
  file["version"] = "2.0";
  ExpectRefused(file.dump(), Reason::kTokenizerUnsupported, "2.0");
  file = File();
  file["new_part"] = 1;
  ExpectRefused(file.dump(), Reason::kTokenizerUnsupported, "new_part");
  file = File();
  file["normalizer"] = {{"type", "NFC"}};
  file["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "first"}};
  ExpectRefused(file.dump(), Reason::kTokenizerUnsupported, "prepend_scheme first");
}

TEST(TokenizerTest, AddedTokensThatTheLibraryWouldSeeOtherwiseAreRefused) {
  json file = File();
  file["added_tokens"][0]["id"] = 9;
  ExpectRefused(file.dump(), Reason::kTokenizerUnsupported, "<s>");
  file = File();
  file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "x"}}}, {"content", "y"}};
  file["added_tokens"].push_back(Added(6, "x"));
  file["added_tokens"].push_back(Added(7, "y"));
  for (int i : {1, 2}) file["added_tokens"][i]["normalized"] = true;
  ExpectRefused(file.dump(), Reason::kTokenizerUnsupported, "\"y\"");
}

TEST(TokenizerTest, BrokenFilesAreCorrupt) {
  ExpectRefused("{", Reason::kFileCorrupt, "");
  ExpectRefused("[]", Reason::kFileCorrupt, "object");
  ExpectRefused("{\"version\":\"1.0\",\"version\":\"1.0\"}", Reason::kFileCorrupt, "version");
  ExpectRefused(R"({"model": {"vocab": {"a": 0, "b": 1, "\u0061": 0}}})", Reason::kFileCorrupt,
                "duplicate key \"a\"");
  json file = File();
  file.erase("model");
  ExpectRefused(file.dump(), Reason::kFileCorrupt, "model");
}

}  // namespace
}  // namespace heroq
