#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "common/blob/digest_proto.h"
#include "coordinator/validation/file_digest.h"
#include "tests/fault/power_cut_job.h"

namespace heroq {
namespace {

using testing::ElementsAre;

constexpr int kFirstLives = 50;
constexpr int kImagesOfALife = 20;

// The disk after a power cut, and the updates that had been acknowledged by then.
struct Cut {
  std::unique_ptr<PowerCutDisk> disk;
  std::vector<std::string> acknowledged;
  uint64_t seed = 0;
  int at = 0;  // operation of the life it ended
};

class PowerCutTest : public PowerCutJob {
 protected:
  struct Life {
    std::vector<Cut> cuts;
    std::string error;
  };

  // Lives on `files` to the end of the job; the power is cut `at` those operations.
  Life LiveWithCuts(PowerCutFileSystem& files, const std::set<int>& at, const Cut* before, uint64_t seed) {
    Life life;
    int operation = 0;
    const UpdateLog* log = nullptr;
    const std::vector<std::string> earlier =
        before == nullptr ? std::vector<std::string>() : before->acknowledged;
    const auto cut = [&] {
      const uint64_t cut_seed = seed * 1'000 + life.cuts.size();
      life.cuts.push_back(
          {files.disk().AfterPowerCut(cut_seed), log == nullptr ? earlier : log->all(), cut_seed, operation});
    };
    files.SetHook([&](absl::string_view name, const std::string&) {
      if (Counts(name) && at.count(++operation) > 0 && life.cuts.size() < at.size()) cut();
      return absl::OkStatus();
    });
    absl::StatusOr<std::unique_ptr<CoordinatorLife>> started = CoordinatorLife::Start(files, state());
    if (!started.ok()) {
      life.error = started.status().ToString();
      return life;
    }
    CoordinatorLife& coordinator = **started;
    log = &coordinator.acknowledged();
    if (before != nullptr) CheckRecovered(coordinator, files, *before);
    life.error = Finish(coordinator);
    // A short life is cut after its end.
    while (life.cuts.size() < at.size()) cut();
    return life;
  }

  // What was acknowledged is there.
  void CheckRecovered(CoordinatorLife& life, FileSystem& files, const Cut& cut) {
    const std::vector<std::string> journal = life.acknowledged().all();
    ASSERT_GE(life.replayed(), cut.acknowledged.size());
    ASSERT_TRUE(std::equal(cut.acknowledged.begin(), cut.acknowledged.end(), journal.begin()));
    const std::shared_ptr<const JobRecord> job = life.Job(kJob);
    if (job == nullptr || job->plan == nullptr || job->terminal()) return;
    for (const TaskRecord& task : job->tasks) {
      if (task.result == nullptr) continue;
      for (const v1::NamedBlob& output : task.result->outputs()) {
        if (output.name() != "unit") continue;
        EXPECT_TRUE(life.blobs().Get(DigestFromProto(output.digest())).ok()) << output.ShortDebugString();
      }
    }
    for (const auto& [name, file] : job->files) {
      EXPECT_TRUE(IsStagedOrPublished(files, name, file)) << name;
    }
  }

  static bool IsStagedOrPublished(FileSystem& files, const std::string& name, const v1::FileAssembled& file) {
    const std::string parent = DirectoryOf(kOutput);
    const absl::StatusOr<std::vector<std::string>> directories = files.List(parent);
    if (!directories.ok()) return false;
    for (const std::string& directory : *directories) {
      const auto digest = DigestOfFile(files, JoinPath(JoinPath(parent, directory), name));
      if (digest.ok() && digest->sha256 == file.sha256()) return true;
    }
    return false;
  }

  // Opens what the power cut left, runs the job to its end, and cuts the power once more on the way.
  std::vector<Cut> Recover(Cut cut, const std::set<int>& cut_again_at) {
    SCOPED_TRACE(testing::Message() << "seed " << cut.seed);
    PowerCutFileSystem files(std::move(cut.disk));
    if (files.Exists(kOutput)) {
      EXPECT_EQ(PublishedBytes(files, kOutput), expected());
    }
    Life life = LiveWithCuts(files, cut_again_at, &cut, cut.seed);
    EXPECT_EQ(life.error, "");
    EXPECT_EQ(PublishedBytes(files, kOutput), expected());
    EXPECT_THAT(*files.List(DirectoryOf(kOutput)), ElementsAre(BaseName(kOutput)));
    return std::move(life.cuts);
  }
};

TEST_F(PowerCutTest, EveryImageOpensAndGoesOnToTheSameBytes) {
  int images = 0;
  for (int first = 0; first < kFirstLives && !HasFailure(); ++first) {
    std::mt19937_64 random(first);
    std::set<int> at;
    while (at.size() < kImagesOfALife) at.insert(static_cast<int>(random() % operations() + 1));
    PowerCutFileSystem files(FreshDisk());
    Life life = LiveWithCuts(files, at, nullptr, static_cast<uint64_t>(first));
    ASSERT_EQ(life.error, "");
    for (Cut& cut : life.cuts) {
      const int left = std::max(operations() - cut.at, 20);
      std::vector<Cut> again = Recover(std::move(cut), {static_cast<int>(random() % left + 1)});
      images += 1 + static_cast<int>(again.size());
      for (Cut& second : again) Recover(std::move(second), {});
      if (HasFailure()) break;
    }
  }
  EXPECT_EQ(images, 2 * kFirstLives * kImagesOfALife);
}

}  // namespace
}  // namespace heroq
