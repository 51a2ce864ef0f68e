#include "worker/agent/failure_kind.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "common/file/io_error.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(FailureKindTest, WhatARetryCannotChangeIsNotInternal) {
  EXPECT_EQ(FailureKindOf(MakeError(Reason::kModelInvalid, "x")), v1::FAILURE_KIND_INVALID_INPUT);
  EXPECT_EQ(FailureKindOf(MakeError(Reason::kSourceChanged, "x")), v1::FAILURE_KIND_INVALID_INPUT);
  EXPECT_EQ(FailureKindOf(MakeError(Reason::kNumericalFailure, "x")), v1::FAILURE_KIND_NUMERICAL);
  EXPECT_EQ(FailureKindOf(MakeError(Reason::kUnsupported, "x")), v1::FAILURE_KIND_UNSUPPORTED);
  EXPECT_EQ(FailureKindOf(MakeError(Reason::kOutOfMemory, "x")), v1::FAILURE_KIND_OUT_OF_MEMORY);
}

TEST(FailureKindTest, TheRestIsTriedAgain) {
  for (Reason reason : {Reason::kInternal, Reason::kUnavailable, Reason::kModelNotFound}) {
    EXPECT_EQ(FailureKindOf(MakeError(reason, "x")), v1::FAILURE_KIND_INTERNAL) << InfoOf(reason).name;
  }
  EXPECT_EQ(FailureKindOf(absl::UnknownError("x")), v1::FAILURE_KIND_INTERNAL);
}

TEST(FailureKindTest, StorageThatIsFullOrFailsIsNotTheTasksFault) {
  EXPECT_EQ(FailureKindOf(IoError(ENOSPC, "write", "/x")), v1::FAILURE_KIND_STORAGE);
  EXPECT_EQ(FailureKindOf(IoError(EIO, "sync", "/x")), v1::FAILURE_KIND_STORAGE);
  EXPECT_EQ(FailureKindOf(IoError(ENOENT, "open", "/x")), v1::FAILURE_KIND_INTERNAL);
  EXPECT_EQ(FailureKindOf(IoError(EACCES, "open", "/x")), v1::FAILURE_KIND_INTERNAL);
}

TEST(FailureKindTest, BlobsThatAreGoneOrDamagedAreLostInputs) {
  EXPECT_EQ(FailureKindOf(MakeError(Reason::kBlobMissing, "x")), v1::FAILURE_KIND_INPUT_LOST);
  EXPECT_EQ(FailureKindOf(MakeError(Reason::kBlobCorrupt, "x")), v1::FAILURE_KIND_INPUT_LOST);
}

TEST(FailureKindTest, AnnotationsKeepTheKind) {
  EXPECT_EQ(FailureKindOf(Annotate(MakeError(Reason::kOutOfMemory, "x"), "layer 3")),
            v1::FAILURE_KIND_OUT_OF_MEMORY);
}

}  // namespace
}  // namespace heroq
