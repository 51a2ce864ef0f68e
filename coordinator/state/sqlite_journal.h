#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file_system.h"
#include "coordinator/state/journal.h"

struct sqlite3;
struct sqlite3_stmt;

namespace heroq {

// The journal of one coordinator as "<directory>/journal.db": one SQLite connection in WAL mode, with
// synchronous=FULL for appends that sync and NORMAL, which leaves the log to the next sync, for others. The
// connection holds the file's exclusive
// lock for its life: a second coordinator on the same directory is refused. Every record carries a CRC-32C
// over its number and bytes. Thread-compatible, blocking.
class SqliteJournal final : public Journal {
 public:
  // Creates the directory and an empty journal where there is none. Errors: OUTPUT_IN_USE naming the process
  // that has the directory; UNSUPPORTED for a network file system (its locks and flushes cannot be relied on)
  // or a journal of a newer version; FILE_CORRUPT when SQLite's own check fails; IO_ERROR. `files` is used
  // during the call only.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(FileSystem& files, const std::string& directory);

  absl::Status Replay(const std::function<absl::Status(const v1::Update&)>& visit) override;
  absl::Status Append(const std::vector<const v1::Update*>& updates, Sync sync) override;

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const;
  };
  struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

  explicit SqliteJournal(std::string path) : path_(std::move(path)) {}
  absl::Status Connect();
  absl::Status CheckIntegrity();
  absl::Status CreateOrCheckSchema();
  absl::Status Insert(const v1::Update& update);
  absl::Status SetSync(Sync sync);

  absl::Status Execute(const char* sql);
  absl::StatusOr<Statement> Prepare(const char* sql);
  // The first column of the first row.
  absl::StatusOr<std::string> QueryText(const char* sql);
  absl::Status ErrorOf(int code, absl::string_view doing) const;

  const std::string path_;
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  Statement insert_;
  int64_t last_sequence_ = 0;
  Sync sync_ = Sync::kNow;  // as the connection is set
};

}  // namespace heroq
