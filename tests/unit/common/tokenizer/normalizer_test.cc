#include "common/tokenizer/normalizer.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;

std::string Normalize(const json& normalizer, absl::string_view text) {
  const absl::StatusOr<std::unique_ptr<Normalizer>> parsed = Normalizer::Parse(normalizer, "normalizer");
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  const absl::StatusOr<std::string> normalized = (*parsed)->Normalize(text);
  EXPECT_TRUE(normalized.ok()) << normalized.status();
  return *normalized;
}

const json kNfc = {{"type", "NFC"}};

TEST(NormalizerTest, NfcComposesAndReorders) {
  EXPECT_EQ(Normalize(kNfc, "e\u0301"), "\u00e9");
  // The dot below (class 220) comes before the circumflex (230).
  EXPECT_EQ(Normalize(kNfc, "a\u0302\u0323"), "\u1ead");
  EXPECT_EQ(Normalize(kNfc, "\u1112\u1161\u11ab"), "\ud55c");
  EXPECT_EQ(Normalize(kNfc, "\u212b"), "\u00c5");
}

TEST(NormalizerTest, NfcLeavesCharactersBehindUnicode9AsTheyAre) {
  // U+11938 (Unicode 13) is the composition of these two.
  EXPECT_EQ(Normalize(kNfc, "\U00011935\U00011930"), "\U00011935\U00011930");
  // U+0898 (Unicode 14) would go behind U+0334 (class 1).
  EXPECT_EQ(Normalize(kNfc, "a\u0898\u0334"), "a\u0898\u0334");
}

TEST(NormalizerTest, PrependLeavesEmptyTextEmpty) {
  const json prepend = {{"type", "Prepend"}, {"prepend", "_"}};
  EXPECT_EQ(Normalize(prepend, "a"), "_a");
  EXPECT_EQ(Normalize(prepend, ""), "");
}

TEST(NormalizerTest, ReplaceTakesLiteralsAndPatterns) {
  EXPECT_EQ(Normalize({{"type", "Replace"}, {"pattern", {{"String", "."}}}, {"content", "\\0"}}, "a.b."),
            "a\\0b\\0");
  EXPECT_EQ(Normalize({{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}}, "a   b c"),
            "a b c");
}

TEST(NormalizerTest, SequenceAppliesInOrder) {
  const json sequence = {{"type", "Sequence"},
                         {"normalizers",
                          {{{"type", "Prepend"}, {"prepend", " "}},
                           {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "_"}}}}};
  EXPECT_EQ(Normalize(sequence, "a b"), "_a_b");
}

TEST(NormalizerTest, NullIsNoNormalizer) { EXPECT_EQ(*Normalizer::Parse(nullptr, "normalizer"), nullptr); }

void ExpectRefused(const json& normalizer, Reason reason, absl::string_view named) {
  const absl::Status status = Normalizer::Parse(normalizer, "normalizer").status();
  EXPECT_TRUE(HasReason(status, reason)) << status;
  EXPECT_NE(status.message().find(named), absl::string_view::npos) << status;
}

TEST(NormalizerTest, OthersAreRefusedByName) {
  for (const char* type :
       {"NFD", "NFKC", "NFKD", "Lowercase", "Strip", "StripAccents", "BertNormalizer", "Precompiled"}) {
    ExpectRefused({{"type", type}}, Reason::kTokenizerUnsupported, type);
    ExpectRefused({{"type", "Sequence"}, {"normalizers", {{{"type", type}}}}}, Reason::kTokenizerUnsupported,
                  "normalizer.normalizers[0]");
  }
  ExpectRefused({{"type", "NFC"}, {"extra", 1}}, Reason::kTokenizerUnsupported, "extra");
  ExpectRefused({{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", ""}},
                Reason::kTokenizerUnsupported, "empty pattern");
}

TEST(NormalizerTest, BrokenOnesAreCorrupt) {
  ExpectRefused("NFC", Reason::kFileCorrupt, "normalizer");
  ExpectRefused({{"type", "Prepend"}}, Reason::kFileCorrupt, "prepend");
  ExpectRefused({{"type", "Sequence"}, {"normalizers", {nullptr}}}, Reason::kFileCorrupt, "normalizers[0]");
  for (const json& pattern : {json::object(), json{{"String", "a"}, {"Regex", "b"}}}) {
    ExpectRefused({{"type", "Replace"}, {"pattern", pattern}, {"content", ""}}, Reason::kFileCorrupt,
                  "exactly one of Regex and String");
  }
}

}  // namespace
}  // namespace heroq
