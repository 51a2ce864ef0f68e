// What becomes of a weight file between its last tensor and its publication.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "common/file/io_error.h"
#include "coordinator/assembly/staging.h"
#include "coordinator/validation/checkpoint_validator.h"
#include "tests/support/driver_harness.h"
#include "tests/support/memory_file_system.h"
#include "tests/unit/coordinator/assembly/small_job.h"

namespace heroq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Job = v1::QuantizationJob;

constexpr char kOutput[] = "/out/w4";

class FinishedFileTest : public testing::Test {
 protected:
  FinishedFileTest() {
    WriteSmallInputs(files_);
    harness_ = std::make_unique<DriverHarness>(files_, "/state");
    harness_->CreateJob("job", SmallJob(kOutput));
    harness_->driver().RunUntilIdle();
  }

  std::shared_ptr<const JobRecord> job() const { return harness_->Job("job"); }
  std::string Staged(const std::string& name) const {
    return StagingPath(kOutput, "job", harness_->store().epoch()) + "/" + name;
  }
  // The place of the last norm, a copied tensor: its file and its first byte there.
  std::pair<std::string, int64_t> Norm() const {
    for (const v1::PlannedFile& file : job()->plan->files()) {
      for (const v1::PlannedTensor& tensor : file.tensors()) {
        if (tensor.name() == "model.norm.weight")
          return {file.name(), static_cast<int64_t>(file.header().size()) + tensor.begin()};
      }
    }
    return {};
  }
  void Spoil(const std::string& path, int64_t offset) {
    const auto file = files_.OpenForUpdate(path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->WriteAt(offset, "\x11\x22").ok());
  }
  // One task and what the driver makes of it.
  void Advance() {
    ASSERT_TRUE(harness_->CompleteOneTask("job"));
    harness_->driver().RunUntilIdle();
  }

  // To where all that is left is evaluation and publication.
  void AdvanceToValidated() {
    while (job()->phase != Job::PHASE_VALIDATING) Advance();
    EXPECT_FALSE(job()->AllDone(TaskKind::kEvaluate));
  }
  // Reads of finished weight files until the end of the job.
  int ReadsToTheEnd() {
    std::atomic<int> reads = 0;
    files_.SetFault([&](absl::string_view operation, const std::string& path) {
      reads +=
          operation == "read" && absl::StrContains(path, "/out/") && absl::EndsWith(path, ".safetensors");
      return absl::OkStatus();
    });
    harness_->RunToEnd("job");
    files_.SetFault(nullptr);
    return reads;
  }
  void ExpectNotPublished(const std::string& name) {
    EXPECT_EQ(job()->state, Job::STATE_FAILED);
    EXPECT_EQ(job()->failure.reason(), "VALIDATION_FAILED");
    EXPECT_THAT(job()->failure.message(), AllOf(HasSubstr(name), HasSubstr("does not read back as written")));
    EXPECT_THAT(*files_.List("/out"), IsEmpty());
  }

  MemoryFileSystem files_;
  std::unique_ptr<DriverHarness> harness_;
};

class UnfinishedFileTest : public FinishedFileTest, public testing::WithParamInterface<std::string> {};

TEST_P(UnfinishedFileTest, IsNotRecorded) {
  files_.SetFault([this](absl::string_view operation, const std::string& path) {
    return operation == GetParam() && absl::EndsWith(path, ".part") ? IoError(EIO, operation, path)
                                                                    : absl::OkStatus();
  });
  while (job()->blocked.reason().empty() && job()->files.empty()) Advance();
  EXPECT_EQ(job()->blocked.reason(), "IO_ERROR");
  EXPECT_THAT(job()->blocked.message(), HasSubstr(GetParam()));
  EXPECT_THAT(job()->files, IsEmpty());
  files_.SetFault(nullptr);
  harness_->RunToEnd("job");
  EXPECT_EQ(job()->state, Job::STATE_SUCCEEDED);
}

INSTANTIATE_TEST_SUITE_P(Operations, UnfinishedFileTest, testing::Values("sync", "close", "read"),
                         [](const auto& given) { return given.param; });

TEST_F(FinishedFileTest, ADiskInTroubleCountsBeforeWhatItGivesBack) {
  const auto [name, offset] = Norm();
  Spoil(Staged(name + ".part"), offset);
  files_.SetFault([part = name + ".part"](absl::string_view operation, const std::string& path) {
    return operation == "sync" && absl::EndsWith(path, part) ? IoError(EIO, operation, path)
                                                             : absl::OkStatus();
  });
  while (job()->blocked.reason().empty() && job()->state == Job::STATE_RUNNING) Advance();
  EXPECT_EQ(job()->blocked.reason(), "IO_ERROR") << job()->failure.DebugString();
  files_.SetFault(nullptr);
  harness_->RunToEnd("job");
  EXPECT_EQ(job()->state, Job::STATE_SUCCEEDED) << "written again";
}

TEST_F(FinishedFileTest, IsPublishedAsItWasReadBackWhileNobodyTouchesIt) {
  AdvanceToValidated();
  EXPECT_EQ(ReadsToTheEnd(), 0);
  ASSERT_EQ(job()->state, Job::STATE_SUCCEEDED) << job()->failure.DebugString();
  EXPECT_THAT(ValidateCheckpoint(files_, kOutput, "/model")->findings(), IsEmpty());
}

TEST_F(FinishedFileTest, IsReadAgainByAnotherProcess) {
  AdvanceToValidated();
  const auto expected = static_cast<int>(job()->files.size());
  ASSERT_GT(expected, 1);
  harness_->Restart();
  // Adopts and validates; what is read later is for the manifest.
  harness_->driver().RunUntilIdle();
  EXPECT_GE(ReadsToTheEnd(), expected);
  EXPECT_EQ(job()->state, Job::STATE_SUCCEEDED) << job()->failure.DebugString();
}

TEST_F(FinishedFileTest, IsReadAgainWhenItIsTouched) {
  AdvanceToValidated();
  const std::string path = Staged(Norm().first);
  ASSERT_TRUE(WriteFileAtomically(files_, path, *ReadFile(files_, path)).ok());
  EXPECT_GT(ReadsToTheEnd(), 0);
  EXPECT_EQ(job()->state, Job::STATE_SUCCEEDED) << job()->failure.DebugString();
}

TEST_F(FinishedFileTest, BytesThatChangeAfterTheirValidationAreNotPublished) {
  AdvanceToValidated();
  const auto [name, offset] = Norm();
  Spoil(Staged(name), offset);
  harness_->RunToEnd("job");
  ExpectNotPublished(name);
}

TEST_F(FinishedFileTest, AnotherFileInItsPlaceIsNotPublished) {
  AdvanceToValidated();
  const auto [name, offset] = Norm();
  std::string bytes = *ReadFile(files_, Staged(name));
  bytes[offset] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(files_, Staged(name), bytes).ok());
  harness_->RunToEnd("job");
  ExpectNotPublished(name);
}

// Between the read-back and the new name, which changes the file's change time anyway.
TEST_F(FinishedFileTest, BytesThatChangeBeforeTheFileHasItsNameAreNotPublished) {
  const auto [name, offset] = Norm();
  bool spoiled = false;
  files_.SetFault([&, name = name, offset = offset](absl::string_view operation, const std::string& path) {
    if (operation == "rename" && path == Staged(name)) {
      Spoil(path + ".part", offset);
      spoiled = true;
    }
    return absl::OkStatus();
  });
  AdvanceToValidated();
  ASSERT_TRUE(spoiled);
  files_.SetFault(nullptr);
  harness_->RunToEnd("job");
  ExpectNotPublished(name);
}

}  // namespace
}  // namespace heroq
