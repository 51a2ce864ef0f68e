#include "coordinator/assembly/blob_collection.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "common/blob/digest_proto.h"
#include "tests/support/driver_harness.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

class BlobCollectionTest : public testing::Test {
 protected:
  BlobCollectionTest() {
    WriteTinyModel(files_, "/model");
    WriteTokens(files_, "/tokens", 2, 16, 100);
    harness_ = std::make_unique<DriverHarness>(files_, "/state");
    v1::JobSpec spec;
    *spec.mutable_model()->mutable_location() = LocalPath("/model");
    *spec.mutable_output()->mutable_location() = LocalPath("/out");
    spec.mutable_method()->mutable_rtn();
    *spec.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
    spec.mutable_evaluation()->set_sequences(2);
    spec.mutable_evaluation()->set_sequence_length(16);
    harness_->CreateJob("job", spec);
    harness_->driver().RunUntilIdle();
    stray_ = *harness_->blobs().Put("an upload whose attempt was lost", Durability::kDurable);
    written_ = absl::FromUnixNanos(files_.Stat(harness_->blobs().PathOf(stray_))->modify_time_nanos);
  }

  void Sweep(absl::Duration later, bool keep_ended = false) {
    ASSERT_TRUE(SweepBlobs(*harness_->store().Snapshot(), files_, harness_->blobs(), written_ + later,
                           absl::Hours(24), keep_ended)
                    .ok());
  }
  bool Has(const Digest& digest) { return *harness_->blobs().Contains(digest); }

  MemoryFileSystem files_;
  std::unique_ptr<DriverHarness> harness_;
  Digest stray_;
  absl::Time written_;
};

TEST_F(BlobCollectionTest, UnreferencedBlobsGoAfterADayAndReferencedOnesStay) {
  const Digest tokens = DigestFromProto(harness_->Job("job")->plan->evaluation_tokens());
  Sweep(absl::Hours(23));
  EXPECT_TRUE(Has(stray_));
  Sweep(absl::Hours(25));
  EXPECT_FALSE(Has(stray_));
  EXPECT_TRUE(Has(tokens));
}

TEST_F(BlobCollectionTest, BlobsOfEndedJobsCountAsReferencedOnlyWhenStateIsKept) {
  harness_->options.keep_state = true;
  harness_->Restart();
  harness_->RunToEnd("job");
  const Digest tokens = DigestFromProto(harness_->Job("job")->plan->evaluation_tokens());
  Sweep(absl::Hours(25), true);
  EXPECT_TRUE(Has(tokens));
  Sweep(absl::Hours(25), false);
  EXPECT_FALSE(Has(tokens));
}

TEST_F(BlobCollectionTest, WhatAnotherRunningJobNeedsStays) {
  // The same tokens give the same blob.
  v1::JobSpec spec = harness_->Job("job")->spec;
  spec.mutable_output()->mutable_location()->set_path("/other");
  harness_->CreateJob("other", spec);
  harness_->driver().RunUntilIdle();
  const Digest tokens = DigestFromProto(harness_->Job("job")->plan->evaluation_tokens());
  harness_->Cancel("job");
  harness_->driver().RunUntilIdle();
  EXPECT_TRUE(Has(tokens));
  harness_->Cancel("other");
  harness_->driver().RunUntilIdle();
  EXPECT_FALSE(Has(tokens));
}

TEST_F(BlobCollectionTest, WhatWasDroppedIsNotLookedForAgainUntilItIsNeeded) {
  const Digest tokens = DigestFromProto(harness_->Job("job")->plan->evaluation_tokens());
  const std::string bytes = harness_->blobs().Get(tokens).value();
  std::set<std::string> dropped = {tokens.sha256};
  const auto drop = [&] {
    const auto state = harness_->store().Snapshot();
    ASSERT_TRUE(DropUnneededBlobs(*state, *state->FindJob("job"), harness_->blobs(), dropped).ok());
  };
  drop();
  EXPECT_TRUE(Has(tokens));
  EXPECT_TRUE(dropped.empty());

  harness_->Cancel("job");
  harness_->driver().RunUntilIdle();
  ASSERT_TRUE(harness_->blobs().Put(bytes, Durability::kDurable).ok());
  drop();
  EXPECT_FALSE(Has(tokens));
  EXPECT_EQ(dropped, std::set<std::string>{tokens.sha256});
  ASSERT_TRUE(harness_->blobs().Put(bytes, Durability::kDurable).ok());
  drop();
  EXPECT_TRUE(Has(tokens));
}

}  // namespace
}  // namespace heroq
