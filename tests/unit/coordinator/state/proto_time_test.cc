#include "coordinator/state/proto_time.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(ProtoTimeTest, TimesBeforeTheEpochHavePositiveNanos) {
  const absl::Time time = absl::FromUnixSeconds(-2) + absl::Nanoseconds(1);
  EXPECT_EQ(ToProto(time).seconds(), -2);
  EXPECT_EQ(ToProto(time).nanos(), 1);
  EXPECT_EQ(FromProto(ToProto(time)), time);
}

TEST(ProtoTimeTest, DurationsKeepTheirNanoseconds) {
  const google::protobuf::Duration proto = ToProto(absl::Milliseconds(2500));
  EXPECT_EQ(proto.seconds(), 2);
  EXPECT_EQ(proto.nanos(), 500'000'000);
}

}  // namespace
}  // namespace heroq
