#include <algorithm>
#include <cerrno>
#include <set>

#include "absl/strings/match.h"
#include "common/file/io_error.h"
#include "tests/fault/power_cut_job.h"

namespace heroq {
namespace {

bool NeedsSpace(absl::string_view operation) {
  return operation == "write" || operation == "create" || operation == "rename";
}

bool IsSync(absl::string_view operation) { return operation == "sync" || operation == "sync directory"; }

// The n-th operation of a kind fails, once or from then on.
struct Fault {
  bool (*concerns)(absl::string_view operation);
  int error_number = 0;
  int at = 0;
  bool for_good = false;
};

class FullDiskTest : public PowerCutJob {
 protected:
  // Runs the job on a disk with the fault, then without it. False when the job ended before the fault.
  bool Survives(const Fault& fault) {
    SCOPED_TRACE(testing::Message() << "operation " << fault.at);
    PowerCutFileSystem files(FreshDisk());
    int count = 0;
    std::set<std::string> failed;
    files.SetHook([&](absl::string_view operation, const std::string& path) {
      if (!fault.concerns(operation) || ++count < fault.at) return absl::OkStatus();
      if (!failed.empty() && !fault.for_good) return absl::OkStatus();
      failed.insert(NameOf(path));
      return IoError(fault.error_number, operation, path);
    });
    const std::string error = RunOnce(files);
    if (failed.empty()) return false;
    if (files.Exists(kOutput)) {
      EXPECT_EQ(PublishedBytes(files, kOutput), expected());
    } else {
      EXPECT_TRUE(std::any_of(failed.begin(), failed.end(), [&](const std::string& path) {
        return absl::StrContains(error, path);
      })) << error;
    }
    files.SetHook(nullptr);
    EXPECT_EQ(RunOnce(files), "");
    EXPECT_FALSE(began_again_) << error;
    EXPECT_EQ(PublishedBytes(files, kOutput), expected());
    return true;
  }

  // What SQLite writes beside the journal is the journal to readers.
  static std::string NameOf(const std::string& path) {
    const std::size_t journal = path.find("journal.db-");
    return journal == std::string::npos ? path : path.substr(0, journal) + "journal.db";
  }

  // One life of a coordinator; what went wrong.
  std::string RunOnce(PowerCutFileSystem& files) {
    const absl::StatusOr<std::unique_ptr<CoordinatorLife>> life = CoordinatorLife::Start(files, state());
    if (!life.ok()) return life.status().ToString();
    const std::string error = Finish(**life);
    began_again_ = DeletedAfterPlanning((*life)->acknowledged().all());
    return error;
  }

  // Whether a job that had tasks was given up.
  static bool DeletedAfterPlanning(const std::vector<std::string>& updates) {
    bool planned = false;
    for (const std::string& bytes : updates) {
      v1::Update update;
      EXPECT_TRUE(update.ParseFromString(bytes));
      if (update.has_job_deleted() && planned) return true;
      planned = planned || update.has_job_planned();
    }
    return false;
  }

  bool began_again_ = false;

  void SurvivesEvery(Fault fault, int stride = 1) {
    fault.at = 1;
    while (!HasFailure() && Survives(fault)) fault.at += stride;
    EXPECT_GT(fault.at, 60);
  }
};

TEST_F(FullDiskTest, ADiskThatIsFullForOneWriteCostsARepetition) {
  SurvivesEvery({NeedsSpace, ENOSPC, 0, false});
}

TEST_F(FullDiskTest, ADiskThatStaysFullIsNamedAndTheJobGoesOnWhenThereIsSpace) {
  SurvivesEvery({NeedsSpace, ENOSPC, 0, true}, 3);
}

TEST_F(FullDiskTest, AFailedSyncIsNamedAndTheJobGoesOnAfterwards) { SurvivesEvery({IsSync, EIO, 0, false}); }

}  // namespace
}  // namespace heroq
