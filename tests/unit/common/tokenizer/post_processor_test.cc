#include "common/tokenizer/post_processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

json Template() {
  return {{"type", "TemplateProcessing"},
          {"single",
           {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
            {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
            {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}}}},
          {"pair", json::array()},
          {"special_tokens",
           {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}},
            {"</s>", {{"id", "</s>"}, {"ids", {2, 3}}, {"tokens", {"<", "/s>"}}}}}}};
}

TEST(PostProcessorTest, TemplateGoesAroundTheDocument) {
  const absl::StatusOr<PostProcessor> processor = PostProcessor::Parse(Template(), "post_processor");
  ASSERT_TRUE(processor.ok()) << processor.status();
  EXPECT_THAT(processor->Apply({8, 9}, true), ElementsAre(1, 8, 9, 2, 3));
  EXPECT_THAT(processor->Apply({8, 9}, false), ElementsAre(8, 9));
  EXPECT_THAT(processor->Apply({}, true), ElementsAre(1, 2, 3));
  EXPECT_EQ(processor->largest_id(), 3);
}

TEST(PostProcessorTest, ByteLevelChangesNoIds) {
  const json sequence = {{"type", "Sequence"}, {"processors", {{{"type", "ByteLevel"}}, Template()}}};
  EXPECT_THAT(PostProcessor::Parse(sequence, "post_processor")->Apply({8}, true), ElementsAre(1, 8, 2, 3));
}

TEST(PostProcessorTest, NullAddsNothing) {
  EXPECT_THAT(PostProcessor::Parse(nullptr, "post_processor")->Apply({8}, true), ElementsAre(8));
}

void ExpectRefused(const json& processor, Reason reason, absl::string_view named) {
  const absl::Status status = PostProcessor::Parse(processor, "post_processor").status();
  EXPECT_TRUE(HasReason(status, reason)) << status;
  EXPECT_NE(status.message().find(named), absl::string_view::npos) << status;
}

TEST(PostProcessorTest, OthersAreRefusedByName) {
  ExpectRefused({{"type", "BertProcessing"}}, Reason::kTokenizerUnsupported, "BertProcessing");
  ExpectRefused({{"type", "RobertaProcessing"}}, Reason::kTokenizerUnsupported, "RobertaProcessing");
  ExpectRefused({{"type", "Sequence"}, {"processors", {Template(), Template()}}},
                Reason::kTokenizerUnsupported, "second TemplateProcessing");
  json two = Template();
  two["single"][1]["Sequence"]["id"] = "B";
  ExpectRefused(two, Reason::kTokenizerUnsupported, "sequence B");
}

TEST(PostProcessorTest, TemplateWithoutItsTokenIsCorrupt) {
  json broken = Template();
  broken["special_tokens"].erase("</s>");
  ExpectRefused(broken, Reason::kFileCorrupt, "</s>");
}

}  // namespace
}  // namespace heroq
