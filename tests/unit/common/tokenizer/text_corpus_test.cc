#include "common/tokenizer/text_corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "common/checkpoint/safetensors_writer.h"
#include "common/status/error_reason.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;

// Letters a to e are tokens 0 to 4; 9 is the BOS.
constexpr absl::string_view kTokenizer = R"({
  "added_tokens": [],
  "post_processor": {"type": "TemplateProcessing", "pair": [],
    "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
    "special_tokens": {"<s>": {"ids": [9]}}},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}, "merges": []}})";

class TextCorpusTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, absl::string_view text) {
    const std::string path = directory_.File(name);
    EXPECT_TRUE(WriteFileAtomically(files_, path, text).ok());
    return path;
  }

  absl::StatusOr<TokenSequences> Sequences(const std::vector<std::string>& paths, int64_t sequences,
                                           int64_t length, Windows windows = Windows::kFromStart) {
    return SequencesFromText(files_, paths, *tokenizer_, sequences, length, windows);
  }

  static void ExpectError(const absl::Status& status, Reason reason, const std::vector<std::string>& named) {
    EXPECT_TRUE(HasReason(status, reason)) << status;
    for (const std::string& name : named) {
      EXPECT_NE(status.message().find(name), absl::string_view::npos) << name << " in " << status;
    }
  }

  std::string WriteTokens(DType dtype, std::vector<int64_t> shape, absl::string_view bytes) {
    const absl::StatusOr<std::string> file =
        SerializeSafetensors({{{"input_ids", dtype, std::move(shape)}, bytes}});
    EXPECT_TRUE(file.ok()) << file.status();
    return Write("tokens.safetensors", *file);
  }

  FileSystem& files_ = FileSystem::Posix();
  TemporaryDirectory directory_;
  std::unique_ptr<Tokenizer> tokenizer_ = *Tokenizer::Load(kTokenizer, "tokenizer.json");
};

TEST_F(TextCorpusTest, DocumentsAreJoinedWithOneBosEach) {
  const auto tokens = Sequences({Write("1.txt", "ab"), Write("2.txt", "cde")}, 2, 3);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_EQ(tokens->sequences, 2);
  EXPECT_EQ(tokens->length, 3);
  EXPECT_THAT(tokens->ids, ElementsAre(9, 0, 1, 9, 2, 3));
  ASSERT_EQ(tokens->counts.size(), 2u);
  EXPECT_EQ(tokens->counts[0].tokens_used, 3);
  EXPECT_EQ(tokens->counts[1].documents, 1);
  EXPECT_EQ(tokens->counts[1].tokens_read, 4);
  EXPECT_EQ(tokens->counts[1].tokens_used, 3);
}

TEST_F(TextCorpusTest, JsonLinesAreOneDocumentEach) {
  const auto tokens = Sequences(
      {Write("a.jsonl", "{\"text\":\"ab\"}\n\n {\"id\":1,\"text\":\"c\"}\r\n{\"text\":\"d\"}")}, 1, 7);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_THAT(tokens->ids, ElementsAre(9, 0, 1, 9, 2, 9, 3));
  EXPECT_EQ(tokens->counts[0].documents, 3);
}

TEST_F(TextCorpusTest, OfALongTextWholeLinesAreReadUntilThereIsEnough) {
  std::string text;
  while (text.size() < (3 << 20)) text += "abcab\nde\n";
  const std::string sound = Write("sound.txt", text);
  const std::string spoilt = Write("spoilt.txt", text + "\xff");
  const auto head = Sequences({spoilt}, 10, 100);
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_LT(head->counts[0].tokens_read, 1 << 14);
  const auto first = head->ids.begin();
  // A BOS, then "abcabde" again and again.
  EXPECT_THAT(std::vector<int32_t>(first, first + 9), ElementsAre(9, 0, 1, 2, 0, 1, 3, 4, 0));
  EXPECT_EQ(head->ids[999], (std::vector<int>{0, 1, 2, 0, 1, 3, 4})[998 % 7]);
  // More than the head has, and what needs the end of the text, are read from all of it.
  EXPECT_EQ(Sequences({sound}, 1, 2'000'000)->ids.size(), 2'000'000u);
  ExpectError(Sequences({spoilt}, 10, 100, Windows::kSpread).status(), Reason::kFileCorrupt, {"spoilt.txt"});
  std::replace(text.begin(), text.end(), '\n', 'e');
  EXPECT_GT(Sequences({Write("line.txt", text)}, 1, 10)->counts[0].tokens_read, 3 << 20)
      << "a text of one line is not cut";
}

TEST_F(TextCorpusTest, ATextOfFewTokensIsReadFurtherButNotToItsEnd) {
  // 20 bytes a token.
  std::string text;
  while (text.size() < (1 << 20)) text += "a" + std::string(19, '\n');
  const auto tokens = Sequences({Write("spoilt.txt", text + "\xff")}, 10, 100);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  // A BOS and 1000 + 1024 letters are in twice 2 x 8 bytes a token.
  EXPECT_GE(tokens->counts[0].tokens_read, 2024);
  EXPECT_LE(tokens->counts[0].tokens_read, 2 + 2024 * 32 / 20);
}

TEST_F(TextCorpusTest, ReadingStopsWhenThereIsEnough) {
  // The rest is never looked at, so its faults do not matter.
  const auto tokens =
      Sequences({Write("a.jsonl", "{\"text\":\"abc\"}\nnot JSON\n"), directory_.File("missing.txt")}, 2, 2);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_THAT(tokens->ids, ElementsAre(9, 0, 1, 2));
  EXPECT_EQ(tokens->counts[1].tokens_read, 0);
}

TEST_F(TextCorpusTest, SpreadWindowsReachFromTheFirstToTheLastToken) {
  // 9 a b c d e a b c d e: eleven tokens; three windows of two start at 0, (11 - 2) / 2 = 4, 9.
  const auto tokens = Sequences({Write("a.txt", "abcdeabcde")}, 3, 2, Windows::kSpread);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_THAT(tokens->ids, ElementsAre(9, 0, 3, 4, 3, 4));
  EXPECT_EQ(tokens->counts[0].tokens_read, 11);
  EXPECT_EQ(tokens->counts[0].tokens_used, 6);
}

TEST_F(TextCorpusTest, OneSpreadWindowIsTheFirst) {
  const auto tokens = Sequences({Write("a.txt", "abc")}, 1, 2, Windows::kSpread);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_THAT(tokens->ids, ElementsAre(9, 0));
}

TEST_F(TextCorpusTest, TooShortATextSaysHowManyTokensThereAre) {
  const std::string path = Write("a.txt", "abc");
  for (Windows windows : {Windows::kFromStart, Windows::kSpread}) {
    ExpectError(Sequences({path}, 3, 2, windows).status(), Reason::kTextTooShort,
                {path, "4 tokens", "need 6"});
  }
}

TEST_F(TextCorpusTest, BinaryFilesAreRefusedWithTheOffset) {
  const std::string zero = Write("zero.txt", absl::string_view("ab\0c", 4));
  ExpectError(Sequences({zero}, 1, 1).status(), Reason::kFileCorrupt, {zero, "byte 2"});
  const std::string latin1 = Write("latin1.txt", "abc\xe9");
  ExpectError(Sequences({latin1}, 1, 1).status(), Reason::kFileCorrupt, {latin1, "byte 3"});
  const std::string lines = Write("bad.jsonl", "{\"text\":\"\"}\n{\"text\":\"\xff\"}\n");
  // The first line and its newline are 12 bytes; the bad one follows 9 more.
  ExpectError(Sequences({lines}, 1, 9).status(), Reason::kFileCorrupt, {lines, "byte 21"});
}

TEST_F(TextCorpusTest, LinesWithoutTextAreRefusedByNumber) {
  for (absl::string_view line :
       {"{\"body\":\"a\"}", "[]", "{\"text\":1}", "{\"text\":\"a\"", "{\"text\":\"a\",\"text\":\"b\"}"}) {
    const std::string path =
        Write("a.jsonl", std::string("{\"text\":\"a\"}\n").append(line.data(), line.size()));
    ExpectError(Sequences({path}, 1, 9).status(), Reason::kFileCorrupt, {path, "line 2"});
  }
}

TEST_F(TextCorpusTest, MissingFilesAreNamed) {
  const absl::Status status = Sequences({directory_.File("missing.txt")}, 1, 1).status();
  ExpectError(status, Reason::kIo, {"missing.txt"});
}

TEST_F(TextCorpusTest, ShapesOutOfRangeAreRefused) {
  const std::string path = Write("a.txt", "abc");
  for (auto [sequences, length] :
       std::vector<std::pair<int64_t, int64_t>>{{0, 1}, {1, 0}, {-1, -1}, {1 << 30, 1 << 30}}) {
    ExpectError(Sequences({path}, sequences, length).status(), Reason::kInvalidSpec, {});
  }
}

TEST_F(TextCorpusTest, TokensFileGivesItsFirstRowsAndColumns) {
  const std::vector<int64_t> wide = {1, 2, 3, 4, 5, 6};
  const std::string path = WriteTokens(DType::kI64, {2, 3}, {reinterpret_cast<const char*>(wide.data()), 48});
  const auto tokens = SequencesFromTokensFile(files_, path, 2, 2, 6);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_THAT(tokens->ids, ElementsAre(1, 2, 4, 5));
  EXPECT_EQ(tokens->counts[0].tokens_read, 6);
  EXPECT_EQ(tokens->counts[0].tokens_used, 4);
  ExpectError(SequencesFromTokensFile(files_, path, 3, 2, 6).status(), Reason::kTextTooShort,
              {path, "2 sequences of 3"});
  ExpectError(SequencesFromTokensFile(files_, path, 1, 4, 6).status(), Reason::kTextTooShort, {path});
}

TEST_F(TextCorpusTest, IdsOutsideTheVocabularyAreRefusedByPlace) {
  const std::vector<int32_t> ids = {1, 2, -1, 4};
  const std::string path = WriteTokens(DType::kI32, {2, 2}, {reinterpret_cast<const char*>(ids.data()), 16});
  ExpectError(SequencesFromTokensFile(files_, path, 2, 2, 9).status(), Reason::kFileCorrupt,
              {path, "[1, 0] is -1"});
  ExpectError(SequencesFromTokensFile(files_, path, 1, 2, 2).status(), Reason::kFileCorrupt,
              {path, "[0, 1] is 2"});
}

TEST_F(TextCorpusTest, TokensFileOfAnotherKindIsRefused) {
  const std::vector<float> numbers = {1, 2};
  const absl::string_view bytes(reinterpret_cast<const char*>(numbers.data()), 8);
  ExpectError(SequencesFromTokensFile(files_, WriteTokens(DType::kF32, {1, 2}, bytes), 1, 1, 9).status(),
              Reason::kFileCorrupt, {"F32 [1, 2]"});
  ExpectError(SequencesFromTokensFile(files_, WriteTokens(DType::kI32, {2}, bytes), 1, 1, 9).status(),
              Reason::kFileCorrupt, {"I32 [2]"});
}

TEST_F(TextCorpusTest, SerializedTokensReadBack) {
  const TokenSequences tokens{2, 2, {5, 6, 7, 8}, {}};
  const absl::StatusOr<std::string> blob = SerializeTokens(tokens);
  ASSERT_TRUE(blob.ok()) << blob.status();
  const auto back = SequencesFromTokensFile(files_, Write("blob", *blob), 2, 2, 9);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->ids, tokens.ids);
  const absl::StatusOr<ParsedSafetensors> parsed = ParseSafetensors(*blob, "blob");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->tensors.at("input_ids").spec.dtype, DType::kI32);
  EXPECT_THAT(parsed->tensors.at("input_ids").spec.shape, ElementsAre(2, 2));
}

}  // namespace
}  // namespace heroq
