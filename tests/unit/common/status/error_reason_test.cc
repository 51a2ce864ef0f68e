#include "common/status/error_reason.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/support/errors_page.h"

namespace heroq {
namespace {

TEST(ErrorReasonTest, TableIsSortedByNameWithoutRepeats) {
  const auto reasons = AllReasons();
  EXPECT_TRUE(std::is_sorted(reasons.begin(), reasons.end(),
                             [](const ReasonInfo& a, const ReasonInfo& b) { return a.name < b.name; }));
  for (const ReasonInfo& info : reasons) {
    EXPECT_EQ(InfoOf(info.reason).name, info.name);
    EXPECT_NE(info.code, absl::StatusCode::kOk) << info.name;
  }
}

TEST(ErrorReasonTest, ErrorCarriesReasonCodeAndMetadata) {
  const absl::Status status =
      MakeError(Reason::kModelInvalid, "tensor a.weight is missing", {{"tensor", "a.weight"}, {"empty", ""}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonName(status), "MODEL_INVALID");
  EXPECT_TRUE(HasReason(status, Reason::kModelInvalid));
  EXPECT_FALSE(HasReason(status, Reason::kInternal));
  EXPECT_THAT(ErrorMetadata(status),
              testing::ElementsAre(testing::Pair("empty", ""), testing::Pair("tensor", "a.weight")));
}

TEST(ErrorReasonTest, AnnotateKeepsReasonAndMetadata) {
  const absl::Status status = Annotate(MakeError(Reason::kIo, "no space", {{"path", "/x"}}), "shard 3");
  EXPECT_EQ(status.message(), "shard 3: no space");
  EXPECT_TRUE(HasReason(status, Reason::kIo));
  EXPECT_EQ(ErrorMetadata(status).at("path"), "/x");
  EXPECT_TRUE(Annotate(absl::OkStatus(), "anything").ok());
}

TEST(ErrorReasonTest, StatusMadeOtherwiseHasNoReason) {
  EXPECT_EQ(ReasonName(absl::InternalError("x")), "");
  EXPECT_TRUE(ErrorMetadata(absl::InternalError("x")).empty());
}

TEST(ErrorReasonTest, ErrorsPageListsExactlyTheReasonsOfTheCode) {
  std::ifstream file(HEROQ_SOURCE_DIR "/docs/reference/errors.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), ErrorsPage()) << "run print_errors_page > docs/reference/errors.md";
}

}  // namespace
}  // namespace heroq
