#include "common/rpc/grpc_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

template <typename Detail>
int CountDetails(const grpc::Status& status, Detail* last) {
  google::rpc::Status wire;
  EXPECT_TRUE(wire.ParseFromString(status.error_details()));
  int count = 0;
  for (const auto& detail : wire.details()) count += detail.UnpackTo(last) ? 1 : 0;
  return count;
}

TEST(GrpcStatusTest, OkStaysOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK).ok());
}

TEST(GrpcStatusTest, EveryReasonSurvivesTheRoundTrip) {
  for (const ReasonInfo& info : AllReasons()) {
    const absl::Status sent =
        MakeError(info.reason, "what, which id", {{"job", "j1"}, {"field:scheme.bits", "9 is not 2..8"}});
    const grpc::Status wire = ToGrpcStatus(sent);
    EXPECT_EQ(static_cast<int>(wire.error_code()), static_cast<int>(info.code));
    const absl::Status received = FromGrpcStatus(wire);
    EXPECT_EQ(received.code(), info.code);
    EXPECT_EQ(received.message(), "what, which id");
    EXPECT_EQ(ReasonName(received), info.name);
    EXPECT_THAT(ErrorMetadata(received),
                UnorderedElementsAre(Pair("job", "j1"), Pair("field:scheme.bits", "9 is not 2..8")));
  }
}

TEST(GrpcStatusTest, FieldMetadataBecomesBadRequestOnly) {
  const grpc::Status wire = ToGrpcStatus(
      MakeError(Reason::kInvalidSpec, "two problems", {{"field:a", "x"}, {"field:b.c", "y"}, {"id", "7"}}));
  google::rpc::BadRequest bad_request;
  ASSERT_EQ(CountDetails(wire, &bad_request), 1);
  ASSERT_EQ(bad_request.field_violations_size(), 2);
  EXPECT_EQ(bad_request.field_violations(0).field(), "a");
  EXPECT_EQ(bad_request.field_violations(1).field(), "b.c");
  EXPECT_EQ(bad_request.field_violations(1).description(), "y");
  google::rpc::ErrorInfo info;
  ASSERT_EQ(CountDetails(wire, &info), 1);
  EXPECT_EQ(info.domain(), "heroq");
  EXPECT_THAT(info.metadata(), ElementsAre(Pair("id", "7")));
}

TEST(GrpcStatusTest, RetryInfoComesWithUnavailableOnly) {
  google::rpc::RetryInfo retry;
  EXPECT_EQ(CountDetails(ToGrpcStatus(MakeError(Reason::kUnavailable, "starting")), &retry), 1);
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(CountDetails(ToGrpcStatus(MakeError(Reason::kStaleAttempt, "old")), &retry), 0);
}

TEST(GrpcStatusTest, StatusWithoutReasonGetsOneByItsCode) {
  EXPECT_EQ(ReasonName(FromGrpcStatus(ToGrpcStatus(absl::UnknownError("x")))), "INTERNAL");
  EXPECT_EQ(FromGrpcStatus(ToGrpcStatus(absl::UnknownError("x"))).code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(ReasonName(FromGrpcStatus(ToGrpcStatus(absl::CancelledError("x")))), "CANCELLED");
}

TEST(GrpcStatusTest, GrpcsOwnUnavailableGetsTheReason) {
  const absl::Status status = FromGrpcStatus(grpc::Status(grpc::StatusCode::UNAVAILABLE, "connect failed"));
  EXPECT_TRUE(HasReason(status, Reason::kUnavailable));
  const absl::Status late = FromGrpcStatus(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "late"));
  EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(ReasonName(late), "");
}

TEST(GrpcStatusTest, UnknownReasonOfANewerServerIsNamedInTheMessage) {
  google::rpc::ErrorInfo info;
  info.set_reason("NOT_INVENTED_YET");
  info.set_domain("heroq");
  google::rpc::Status wire;
  wire.add_details()->PackFrom(info);
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "no", wire.SerializeAsString()));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("NOT_INVENTED_YET"));
}

TEST(GrpcStatusTest, LongMessagesAndManyViolationsFitTheMetadataLimit) {
  std::map<std::string, std::string> metadata;
  for (int i = 0; i < 500; ++i)
    metadata[absl::StrCat("field:scheme.overrides[", i, "]")] = std::string(300, 'x');
  std::string message(1534, 'a');
  // A three-byte code point across the cut.
  message += "\xE2\x82\xAC\xE2\x82\xAC";
  const grpc::Status wire = ToGrpcStatus(MakeError(Reason::kInvalidSpec, message, metadata));
  EXPECT_LE(wire.error_message().size(), 1536u);
  EXPECT_THAT(wire.error_message(), EndsWith("..."));
  EXPECT_LE(wire.error_details().size(), 4096u + 256u);
  google::rpc::BadRequest bad_request;
  ASSERT_EQ(CountDetails(wire, &bad_request), 1);
  const int kept = bad_request.field_violations_size() - 1;
  EXPECT_GT(kept, 3);
  EXPECT_EQ(bad_request.field_violations(kept).description(), absl::StrCat(500 - kept, " more violations"));
}

}  // namespace
}  // namespace heroq
