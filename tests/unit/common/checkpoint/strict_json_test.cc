#include "common/checkpoint/strict_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string RefusalOf(absl::string_view text, const JsonLimits& limits = {}) {
  const absl::Status status = ParseStrictJson(text, "config.json", limits).status();
  EXPECT_TRUE(HasReason(status, Reason::kFileCorrupt)) << text;
  EXPECT_THAT(std::string(status.message()), StartsWith("config.json: "));
  return std::string(status.message());
}

TEST(StrictJsonTest, ValuesOfEveryKindAreRead) {
  const auto value =
      ParseStrictJson(R"( {"a": [1, -2, 1.5, true, null, "x\u00e9"], "b": {"a": {}}, "c": []} )", "x");
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ(*value,
            nlohmann::json::parse(R"({"a": [1, -2, 1.5, true, null, "xé"], "b": {"a": {}}, "c": []})"));
  EXPECT_TRUE((*value)["a"][0].is_number_unsigned());
  EXPECT_EQ(ParseStrictJson("3", "x").value(), 3);
}

TEST(StrictJsonTest, DuplicateKeysAreRefusedAtEveryDepth) {
  EXPECT_THAT(RefusalOf(R"({"a": 1, "a": 1})"), HasSubstr("duplicate key \"a\""));
  EXPECT_THAT(RefusalOf(R"([{"b": {"a": {}, "c": 1, "\u0061": 2}}])"), HasSubstr("duplicate key \"a\""));
  EXPECT_TRUE(ParseStrictJson(R"([{"a": {"a": 1}}, {"a": 2}])", "x").ok());
}

TEST(StrictJsonTest, NestingStopsAtTheLimit) {
  JsonLimits limits;
  limits.max_depth = 3;
  EXPECT_TRUE(ParseStrictJson("[[[1]]]", "x", limits).ok());
  EXPECT_THAT(RefusalOf("[[[[1]]]]", limits), HasSubstr("nested deeper than 3"));
  EXPECT_THAT(RefusalOf(std::string(1'000'000, '[')), HasSubstr("nested deeper than 64"));
}

// What streams take of an object at "/a/o" and of an array at "/a/l".
struct Streamed {
  absl::StatusOr<nlohmann::json> Parse(absl::string_view text, const JsonLimits& limits = {}) {
    const auto take = [this](const nlohmann::json& value) { values.push_back(value); };
    const auto add_key = [this](absl::string_view key) { return keys.insert(std::string(key)).second; };
    return ParseStrictJson(text, "config.json", limits,
                           {{nlohmann::json::json_pointer("/a/o"), add_key, take},
                            {nlohmann::json::json_pointer("/a/l"), nullptr, take}});
  }

  std::set<std::string> keys;
  nlohmann::json values = nlohmann::json::array();
};

TEST(StrictJsonTest, StreamsTakeTheElementsOfOnePlace) {
  Streamed streamed;
  const auto rest = streamed.Parse(
      R"({"o": {"x": 0}, "a": {"l": [1, [2, [3]], {"x": 4}], "o": {"k": 5, "m": {"x": [6]}}, "x": [7]}})");
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_EQ(streamed.values, nlohmann::json::parse(R"([1, [2, [3]], {"x": 4}, 5, {"x": [6]}])"));
  EXPECT_THAT(streamed.keys, ElementsAre("k", "m"));
  EXPECT_EQ(*rest, nlohmann::json::parse(R"({"o": {"x": 0}, "a": {"l": [], "o": {}, "x": [7]}})"));
}

TEST(StrictJsonTest, StreamsLeaveOtherPlacesAndKinds) {
  for (const absl::string_view text :
       {R"({"a": {"o": [1], "l": {"x": 1}}})", R"({"a": {"o": 1, "l": null}})", R"([{"a": {"o": {"x": 1}}}])",
        R"({"b": {"a": {"o": {"x": 1}, "l": [1]}}})", R"({"a": [{"o": {"x": 1}}]})", "[[[1]]]", "1"}) {
    Streamed streamed;
    EXPECT_EQ(streamed.Parse(text).value(), nlohmann::json::parse(text));
    EXPECT_TRUE(streamed.values.empty() && streamed.keys.empty()) << text;
  }
}

TEST(StrictJsonTest, StreamsRefuseWhatIsRefusedElsewhere) {
  JsonLimits limits;
  limits.max_depth = 4;
  limits.max_values = 6;
  const auto refusal = [&](absl::string_view text) {
    return std::string(Streamed().Parse(text, limits).status().message());
  };
  EXPECT_THAT(refusal(R"({"a": {"o": {"x": 1, "x": 2}}})"), HasSubstr("duplicate key \"x\""));
  EXPECT_THAT(refusal(R"({"a": {"l": [{"x": 1, "x": 2}]}})"), HasSubstr("duplicate key \"x\""));
  EXPECT_THAT(refusal(R"({"a": {"o": {}, "o": {}}})"), HasSubstr("duplicate key \"o\""));
  EXPECT_THAT(refusal(R"({"a": {"l": [[]]}})"), IsEmpty());
  EXPECT_THAT(refusal(R"({"a": {"l": [[[]]]}})"), HasSubstr("nested deeper than 4"));
  EXPECT_THAT(refusal(R"({"a": {"l": [1, 2, 3]}})"), IsEmpty());
  EXPECT_THAT(refusal(R"({"a": {"l": [1, 2, 3, 4]}})"), HasSubstr("more than 6 values"));
}

TEST(StrictJsonTest, LengthStopsAtTheLimit) {
  JsonLimits limits;
  limits.max_bytes = 4;
  EXPECT_TRUE(ParseStrictJson("1234", "x", limits).ok());
  EXPECT_THAT(RefusalOf("12345", limits), HasSubstr("5 bytes of JSON, expected at most 4"));
}

TEST(StrictJsonTest, ValuesStopAtTheLimit) {
  JsonLimits limits;
  limits.max_values = 4;
  EXPECT_TRUE(ParseStrictJson(R"([{"a": []}, 1])", "x", limits).ok());
  EXPECT_THAT(RefusalOf(R"([{"a": []}, 1, 2])", limits), HasSubstr("more than 4 values"));
  EXPECT_THAT(RefusalOf(R"([[], {}, {}, {}])", limits), HasSubstr("more than 4 values"));
}

TEST(StrictJsonTest, MessagesQuoteLongTextInPart) {
  const std::string key(100'000, 'k');
  EXPECT_LT(RefusalOf("{\"" + key + "\": 1, \"" + key + "\": 2}").size(), 400);
  EXPECT_LT(RefusalOf("[\"" + key + "\", nul]").size(), 400);
  EXPECT_LT(RefusalOf("[\"" + key + "\" \"" + key + "\"]").size(), 400);
  // Cut between characters: byte 200 is inside an e with an acute accent.
  std::string accents;
  for (int i = 0; i < 200; ++i) accents += "\xC3\xA9";
  EXPECT_TRUE(IsValidUtf8(QuoteExcerpt(accents)));
  EXPECT_EQ(ExcerptJson({1, "a"}), R"([1,"a"])");
}

TEST(StrictJsonTest, WhatIsNotJsonIsRefused) {
  for (const absl::string_view text :
       {"", "{", "{\"a\":}", "[1,]", "nul", "NaN", "Infinity", "01", "'a'", "{} x", "// c\n1", "1e999",
        "\"\\ud800\"", "\"\xff\"", "\"\xc0\x80\"", "\"\x01\""}) {
    EXPECT_TRUE(IsValidUtf8(RefusalOf(text))) << "a message is text, whatever the file holds";
  }
  EXPECT_THAT(RefusalOf("\xEF\xBB\xBF{}"), HasSubstr("byte order mark"));
  EXPECT_THAT(RefusalOf(absl::string_view("{}\0 hidden", 10)), HasSubstr("NUL at byte 2"));
  EXPECT_THAT(RefusalOf("{\"a\": tru}"), HasSubstr("at byte 10: "));
}

// serde_json's spelling: short escapes where JSON has them, \u00xx for other control characters, all else as
// it is.
TEST(StrictJsonTest, StringsAreQuotedAsSerdeJsonDoes) {
  EXPECT_EQ(QuoteJson("a\"\\\b\f\n\r\t/\x01\x1f\x7f\xC3\xA9"),
            "\"a\\\"\\\\\\b\\f\\n\\r\\t/\\u0001\\u001f\x7f\xC3\xA9\"");
}

TEST(StrictJsonTest, Utf8IsRecognised) {
  EXPECT_TRUE(IsValidUtf8("plain \"quoted\"\n\xC3\xA9\xF0\x9F\x98\x80"));
  for (const absl::string_view text : {"\xff", "a\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    EXPECT_FALSE(IsValidUtf8(text));
  }
}

}  // namespace
}  // namespace heroq
