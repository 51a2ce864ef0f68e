#include "coordinator/state/sqlite_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_plan.h"

// Stands before the C library's, for SQLite too.
static int syncs = 0;
extern "C" int fdatasync(int file) {
  ++syncs;
  return static_cast<int>(syscall(SYS_fdatasync, file));
}

namespace heroq {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<SqliteJournal> OpenJournal(const std::string& directory) {
  auto journal = SqliteJournal::Open(FileSystem::Posix(), directory);
  EXPECT_TRUE(journal.ok()) << journal.status();
  return *std::move(journal);
}

std::vector<std::string> JobIds(SqliteJournal& journal) {
  std::vector<std::string> ids;
  const absl::Status replayed = journal.Replay([&](const v1::Update& update) {
    ids.push_back(update.job_created().job_id());
    return absl::OkStatus();
  });
  EXPECT_TRUE(replayed.ok()) << replayed;
  return ids;
}

void AppendJobs(SqliteJournal& journal, const std::vector<std::string>& ids, Sync sync = Sync::kNow) {
  std::vector<v1::Update> updates;
  for (const std::string& id : ids) updates.push_back(CreateUpdate(id));
  std::vector<const v1::Update*> pointers;
  for (const v1::Update& update : updates) pointers.push_back(&update);
  ASSERT_TRUE(journal.Append(pointers, sync).ok());
}

// Runs SQL on a journal nobody has open.
void Tamper(const std::string& directory, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(JoinPath(directory, "journal.db").c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
}

TEST(SqliteJournalTest, ReopenedJournalContinuesWhereItStopped) {
  TemporaryDirectory directory;
  const std::string state = directory.File("state");
  {
    auto journal = OpenJournal(state);
    AppendJobs(*journal, {"a", "b"});
    AppendJobs(*journal, {"c"});
  }
  auto journal = OpenJournal(state);
  AppendJobs(*journal, {"d"});
  EXPECT_THAT(JobIds(*journal), testing::ElementsAre("a", "b", "c", "d"));
}

TEST(SqliteJournalTest, AppendsSyncWhenTheyAreToldTo) {
  TemporaryDirectory directory;
  auto journal = OpenJournal(directory.path());
  const auto syncs_of = [&](const std::string& id, Sync sync) {
    const int before = syncs;
    AppendJobs(*journal, {id}, sync);
    return syncs - before;
  };
  syncs_of("first", Sync::kNow);
  EXPECT_GT(syncs_of("a", Sync::kNow), 0);
  EXPECT_EQ(syncs_of("b", Sync::kWithNext), 0);
  EXPECT_EQ(syncs_of("c", Sync::kWithNext), 0);
  EXPECT_GT(syncs_of("d", Sync::kNow), 0);
  EXPECT_THAT(JobIds(*journal), testing::ElementsAre("first", "a", "b", "c", "d"));
}

TEST(SqliteJournalTest, ReplayStopsAtTheVisitorsError) {
  TemporaryDirectory directory;
  auto journal = OpenJournal(directory.path());
  AppendJobs(*journal, {"a", "b"});
  int visited = 0;
  const absl::Status status = journal->Replay([&](const v1::Update&) {
    ++visited;
    return MakeError(Reason::kInternal, "no");
  });
  EXPECT_TRUE(HasReason(status, Reason::kInternal));
  EXPECT_EQ(visited, 1);
}

TEST(SqliteJournalTest, SecondCoordinatorIsRefusedAndToldWhoHasTheDirectory) {
  TemporaryDirectory directory;
  auto journal = OpenJournal(directory.path());
  int results[2];
  ASSERT_EQ(pipe(results), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string message =
        SqliteJournal::Open(FileSystem::Posix(), directory.path()).status().ToString();
    _exit(write(results[1], message.data(), message.size()) < 0 ? 1 : 0);
  }
  waitpid(child, nullptr, 0);
  char message[1024] = {};
  ASSERT_GT(read(results[0], message, sizeof message - 1), 0);
  EXPECT_THAT(message, HasSubstr(absl::StrCat("is in use by process ", getpid())));
  EXPECT_THAT(message, HasSubstr(directory.path()));
  journal.reset();
  EXPECT_TRUE(SqliteJournal::Open(FileSystem::Posix(), directory.path()).ok());
}

TEST(SqliteJournalTest, SecondOpenInOneProcessIsRefusedToo) {
  TemporaryDirectory directory;
  auto journal = OpenJournal(directory.path());
  EXPECT_TRUE(
      HasReason(SqliteJournal::Open(FileSystem::Posix(), directory.path()).status(), Reason::kOutputInUse));
}

TEST(SqliteJournalTest, ChangedRecordIsNamed) {
  TemporaryDirectory directory;
  { AppendJobs(*OpenJournal(directory.path()), {"a", "b", "c"}); }
  Tamper(directory.path(), "UPDATE journal SET payload = x'0A0B' WHERE sequence = 2");
  auto journal = OpenJournal(directory.path());
  const absl::Status status = journal->Replay([](const v1::Update&) { return absl::OkStatus(); });
  EXPECT_TRUE(HasReason(status, Reason::kFileCorrupt));
  EXPECT_THAT(std::string(status.message()), HasSubstr("record 2: CRC-32C does not match"));
}

TEST(SqliteJournalTest, MissingRecordIsNamed) {
  TemporaryDirectory directory;
  { AppendJobs(*OpenJournal(directory.path()), {"a", "b", "c"}); }
  Tamper(directory.path(), "DELETE FROM journal WHERE sequence = 2");
  auto journal = OpenJournal(directory.path());
  const absl::Status status = journal->Replay([](const v1::Update&) { return absl::OkStatus(); });
  EXPECT_THAT(std::string(status.message()), HasSubstr("record 2: is missing"));
}

TEST(SqliteJournalTest, SwappedRecordsAreFound) {
  TemporaryDirectory directory;
  { AppendJobs(*OpenJournal(directory.path()), {"a", "b"}); }
  Tamper(directory.path(),
         "UPDATE journal SET sequence = 3 WHERE sequence = 1; UPDATE journal SET sequence = 1 WHERE sequence "
         "= 2;"
         "UPDATE journal SET sequence = 2 WHERE sequence = 3");
  auto journal = OpenJournal(directory.path());
  const absl::Status status = journal->Replay([](const v1::Update&) { return absl::OkStatus(); });
  EXPECT_THAT(std::string(status.message()), HasSubstr("record 1: CRC-32C does not match"));
}

TEST(SqliteJournalTest, FileThatIsNoDatabaseIsRefused) {
  TemporaryDirectory directory;
  ASSERT_TRUE(
      WriteFileAtomically(FileSystem::Posix(), directory.File("journal.db"), std::string(8192, 'x')).ok());
  EXPECT_TRUE(
      HasReason(SqliteJournal::Open(FileSystem::Posix(), directory.path()).status(), Reason::kFileCorrupt));
}

TEST(SqliteJournalTest, DamagedPageIsFoundAtOpen) {
  TemporaryDirectory directory;
  {
    std::vector<std::string> ids;
    for (int i = 0; i < 2000; ++i) ids.push_back(absl::StrCat("job", i));
    AppendJobs(*OpenJournal(directory.path()), ids);
  }
  const std::string path = directory.File("journal.db");
  std::string bytes = *ReadFile(FileSystem::Posix(), path);
  ASSERT_GT(bytes.size(), 16384u);
  bytes.replace(bytes.size() / 2 / 4096 * 4096, 64, std::string(64, '\xFF'));
  ASSERT_TRUE(WriteFileAtomically(FileSystem::Posix(), path, bytes).ok());
  EXPECT_TRUE(
      HasReason(SqliteJournal::Open(FileSystem::Posix(), directory.path()).status(), Reason::kFileCorrupt));
}

TEST(SqliteJournalTest, JournalOfANewerVersionIsRefused) {
  TemporaryDirectory directory;
  { OpenJournal(directory.path()); }
  Tamper(directory.path(), "PRAGMA user_version=2");
  const absl::Status status = SqliteJournal::Open(FileSystem::Posix(), directory.path()).status();
  EXPECT_TRUE(HasReason(status, Reason::kUnsupported));
  EXPECT_THAT(std::string(status.message()), HasSubstr("schema version 2, expected 1"));
}

TEST(SqliteJournalTest, AcknowledgedAppendsSurviveKill9) {
  for (int round = 0; round < 8; ++round) {
    TemporaryDirectory directory;
    int acknowledgements[2];
    ASSERT_EQ(pipe(acknowledgements), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(acknowledgements[0]);
      auto journal = OpenJournal(directory.path());
      for (int i = 0;; i += 3) {
        AppendJobs(*journal, {absl::StrCat(i), absl::StrCat(i + 1), absl::StrCat(i + 2)});
        if (write(acknowledgements[1], "abc", 3) != 3) _exit(1);
      }
    }
    close(acknowledgements[1]);
    // Killed after a different number of acknowledgements each round, at whatever point of the next append.
    int acknowledged = 0;
    char buffer[3];
    while (acknowledged < 30 + 21 * round && read(acknowledgements[0], buffer, 3) == 3) acknowledged += 3;
    kill(child, SIGKILL);
    while (read(acknowledgements[0], buffer, 3) == 3) acknowledged += 3;
    waitpid(child, nullptr, 0);
    close(acknowledgements[0]);

    auto journal = OpenJournal(directory.path());
    const std::vector<std::string> ids = JobIds(*journal);
    EXPECT_GE(static_cast<int>(ids.size()), acknowledged);
    EXPECT_EQ(ids.size() % 3, 0u) << "a batch is one transaction";
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], absl::StrCat(i));
    AppendJobs(*journal, {"after"});
  }
}

}  // namespace
}  // namespace heroq
