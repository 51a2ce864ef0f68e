#include "coordinator/state/sqlite_journal.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/crc32c.h"
#include "common/file/failpoint.h"
#include "common/file/network_file_system.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int64_t kOwnerFileLimit = 64;

// What the CRC of a record covers: its number, little-endian, then its bytes.
constexpr size_t kNumberBytes = 8;
std::string NumberPrefix(int64_t sequence) {
  std::string bytes(kNumberBytes, '\0');
  for (size_t i = 0; i < kNumberBytes; ++i)
    bytes[i] = static_cast<char>(static_cast<uint64_t>(sequence) >> (8 * i));
  return bytes;
}

}  // namespace

void SqliteJournal::CloseDatabase::operator()(sqlite3* database) const { sqlite3_close(database); }
void SqliteJournal::FinalizeStatement::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(FileSystem& files,
                                                                   const std::string& directory) {
  HEROQ_RETURN_IF_ERROR(CreateDirectoriesDurably(files, directory));
  HEROQ_RETURN_IF_ERROR(
      RefuseNetworkFileSystem(directory, "state directory", "choose a local one with --state-dir"));
  const std::string owner_path = JoinPath(directory, "journal.owner");
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(JoinPath(directory, "journal.db")));
  if (absl::Status connected = journal->Connect(); !connected.ok()) {
    if (!HasReason(connected, Reason::kOutputInUse)) return connected;
    const absl::StatusOr<std::string> owner = ReadFile(files, owner_path, kOwnerFileLimit);
    return MakeError(Reason::kOutputInUse, absl::StrCat("state directory ", directory, " is in use by ",
                                                        owner.ok() ? absl::StrCat("process ", *owner)
                                                                   : std::string("another process")));
  }
  HEROQ_RETURN_IF_ERROR(WriteFileAtomically(files, owner_path, absl::StrCat(getpid())));
  HEROQ_RETURN_IF_ERROR(journal->CheckIntegrity());
  HEROQ_RETURN_IF_ERROR(journal->CreateOrCheckSchema());
  HEROQ_RETURN_IF_ERROR(files.SyncDirectory(directory));
  HEROQ_ASSIGN_OR_RETURN(journal->insert_,
                         journal->Prepare("INSERT INTO journal(sequence, payload, crc) VALUES(?1, ?2, ?3)"));
  return journal;
}

absl::Status SqliteJournal::Connect() {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path_.c_str(), &opened,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(opened);
  if (code != SQLITE_OK) return ErrorOf(code, "open");
  sqlite3_extended_result_codes(opened, 1);
  // Exclusive before WAL: the lock is held from here on and the index of the WAL stays in this process's
  // memory.
  HEROQ_RETURN_IF_ERROR(Execute("PRAGMA locking_mode=EXCLUSIVE"));
  HEROQ_ASSIGN_OR_RETURN(const std::string mode, QueryText("PRAGMA journal_mode=WAL"));
  if (mode != "wal") return MakeError(Reason::kIo, absl::StrCat(path_, ": SQLite refuses WAL mode: ", mode));
  HEROQ_RETURN_IF_ERROR(Execute("PRAGMA synchronous=FULL; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0"));
  return Execute("BEGIN EXCLUSIVE; COMMIT");
}

absl::Status SqliteJournal::CheckIntegrity() {
  HEROQ_ASSIGN_OR_RETURN(const std::string found, QueryText("PRAGMA quick_check(1)"));
  if (found == "ok") return absl::OkStatus();
  return MakeError(Reason::kFileCorrupt, absl::StrCat(path_, ": ", found));
}

absl::Status SqliteJournal::CreateOrCheckSchema() {
  HEROQ_ASSIGN_OR_RETURN(const std::string version, QueryText("PRAGMA user_version"));
  if (version == "0") {
    HEROQ_RETURN_IF_ERROR(
        Execute("BEGIN; CREATE TABLE journal(sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL, crc "
                "INTEGER NOT NULL)"
                " STRICT; PRAGMA user_version=1; COMMIT"));
  } else if (version != absl::StrCat(kSchemaVersion)) {
    return MakeError(Reason::kUnsupported, absl::StrCat(path_, " has schema version ", version, ", expected ",
                                                        kSchemaVersion, ": it was written by a newer heroq"));
  }
  HEROQ_ASSIGN_OR_RETURN(Statement last, Prepare("SELECT coalesce(max(sequence), 0) FROM journal"));
  if (const int code = sqlite3_step(last.get()); code != SQLITE_ROW)
    return ErrorOf(code, "count the records");
  last_sequence_ = sqlite3_column_int64(last.get(), 0);
  return absl::OkStatus();
}

absl::Status SqliteJournal::Replay(const std::function<absl::Status(const v1::Update&)>& visit) {
  HEROQ_ASSIGN_OR_RETURN(Statement rows,
                         Prepare("SELECT sequence, payload, crc FROM journal ORDER BY sequence"));
  int64_t expected = 1;
  for (;; ++expected) {
    const int code = sqlite3_step(rows.get());
    if (code == SQLITE_DONE) break;
    if (code != SQLITE_ROW) return ErrorOf(code, absl::StrCat("read record ", expected));
    const auto corrupt = [&](absl::string_view what) {
      return MakeError(Reason::kFileCorrupt, absl::StrCat(path_, ": record ", expected, ": ", what));
    };
    if (sqlite3_column_int64(rows.get(), 0) != expected) return corrupt("is missing");
    std::string bytes = NumberPrefix(expected);
    bytes.append(static_cast<const char*>(sqlite3_column_blob(rows.get(), 1)),
                 static_cast<size_t>(sqlite3_column_bytes(rows.get(), 1)));
    if (sqlite3_column_int64(rows.get(), 2) != int64_t{Crc32c(bytes)})
      return corrupt("CRC-32C does not match");
    v1::Update update;
    if (!update.ParseFromArray(bytes.data() + kNumberBytes, static_cast<int>(bytes.size() - kNumberBytes))) {
      return corrupt("is not an update");
    }
    HEROQ_RETURN_IF_ERROR(visit(update));
  }
  return absl::OkStatus();
}

absl::Status SqliteJournal::SetSync(Sync sync) {
  if (sync == sync_) return absl::OkStatus();
  HEROQ_RETURN_IF_ERROR(
      Execute(sync == Sync::kNow ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  sync_ = sync;
  return absl::OkStatus();
}

absl::Status SqliteJournal::Append(const std::vector<const v1::Update*>& updates, Sync sync) {
  HEROQ_FAILPOINT(journal_before_append);
  HEROQ_RETURN_IF_ERROR(SetSync(sync));
  HEROQ_RETURN_IF_ERROR(Execute("BEGIN"));
  for (const v1::Update* update : updates) HEROQ_RETURN_IF_ERROR(Insert(*update));
  HEROQ_FAILPOINT(journal_before_commit);
  HEROQ_RETURN_IF_ERROR(Execute("COMMIT"));
  HEROQ_FAILPOINT(journal_after_commit);
  return absl::OkStatus();
}

absl::Status SqliteJournal::Insert(const v1::Update& update) {
  const int64_t sequence = last_sequence_ + 1;
  std::string bytes = NumberPrefix(sequence);
  if (!update.AppendToString(&bytes)) {
    return MakeError(Reason::kInternal, absl::StrCat(path_, ": record ", sequence, " cannot be serialized"));
  }
  sqlite3_reset(insert_.get());
  sqlite3_bind_int64(insert_.get(), 1, sequence);
  sqlite3_bind_blob64(insert_.get(), 2, bytes.data() + kNumberBytes, bytes.size() - kNumberBytes,
                      SQLITE_STATIC);
  sqlite3_bind_int64(insert_.get(), 3, int64_t{Crc32c(bytes)});
  const int code = sqlite3_step(insert_.get());
  sqlite3_reset(insert_.get());
  sqlite3_clear_bindings(insert_.get());
  if (code != SQLITE_DONE) return ErrorOf(code, absl::StrCat("append record ", sequence));
  last_sequence_ = sequence;
  return absl::OkStatus();
}

absl::Status SqliteJournal::Execute(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorOf(code, sql);
}

absl::StatusOr<SqliteJournal::Statement> SqliteJournal::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(code, sql);
  return Statement(statement);
}

absl::StatusOr<std::string> SqliteJournal::QueryText(const char* sql) {
  HEROQ_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  const int code = sqlite3_step(statement.get());
  if (code != SQLITE_ROW) return ErrorOf(code, sql);
  return std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0)));
}

absl::Status SqliteJournal::ErrorOf(int code, absl::string_view doing) const {
  const std::string message = absl::StrCat(
      path_, ": ", doing, ": ", database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(code));
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return MakeError(Reason::kOutputInUse, message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return MakeError(Reason::kFileCorrupt, message);
    default:
      return MakeError(Reason::kIo, message);
  }
}

}  // namespace heroq
