#pragma once

#include <sqlite3.h>

#include "tests/support/power_cut_file_system.h"

namespace heroq {

// While this lives, SQLite databases are files of `files`, synced as SQLite's own VFS for Unix does it: a
// database in WAL mode with locking_mode=EXCLUSIVE. Locks always succeed. One at a time in a process;
// databases that were opened meanwhile are closed before it ends.
class PowerCutVfs {
 public:
  explicit PowerCutVfs(PowerCutFileSystem& files);
  ~PowerCutVfs();
  PowerCutVfs(const PowerCutVfs&) = delete;
  PowerCutVfs& operator=(const PowerCutVfs&) = delete;

 private:
  sqlite3_vfs vfs_;
};

}  // namespace heroq
