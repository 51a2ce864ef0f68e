#include "tests/support/power_cut_vfs.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>

namespace heroq {
namespace {

// What SQLite's VFS for Unix says of an ordinary disk.
constexpr int kSectorSize = 4096;

PowerCutFileSystem& FilesOf(sqlite3_vfs* vfs) { return *static_cast<PowerCutFileSystem*>(vfs->pAppData); }

int CodeOf(const absl::Status& status, int failure) {
  if (status.ok()) return SQLITE_OK;
  return absl::IsResourceExhausted(status) ? SQLITE_FULL : failure;
}

struct DatabaseFile {
  sqlite3_file base;
  PowerCutFileSystem* files;
  PowerCutDisk::NodePtr node;
  std::string path;
  // The file was made by this handle and its name is not durable.
  bool new_name;
};

DatabaseFile& FileOf(sqlite3_file* file) { return *reinterpret_cast<DatabaseFile*>(file); }

int Close(sqlite3_file* file) {
  FileOf(file).~DatabaseFile();
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* buffer, int size, sqlite3_int64 offset) {
  DatabaseFile& open = FileOf(file);
  const std::string bytes = open.files->disk().Read(*open.node, offset, size);
  std::memcpy(buffer, bytes.data(), bytes.size());
  if (static_cast<int>(bytes.size()) == size) return SQLITE_OK;
  std::memset(static_cast<char*>(buffer) + bytes.size(), 0, static_cast<std::size_t>(size) - bytes.size());
  return SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  DatabaseFile& open = FileOf(file);
  const absl::Status allowed = open.files->Before("write", open.path);
  if (!allowed.ok()) return CodeOf(allowed, SQLITE_IOERR_WRITE);
  open.files->disk().Write(*open.node, offset,
                           {static_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  return SQLITE_OK;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  DatabaseFile& open = FileOf(file);
  const absl::Status allowed = open.files->Before("truncate", open.path);
  if (!allowed.ok()) return CodeOf(allowed, SQLITE_IOERR_TRUNCATE);
  open.files->disk().Truncate(*open.node, size);
  return SQLITE_OK;
}

int Sync(sqlite3_file* file, int) {
  DatabaseFile& open = FileOf(file);
  const absl::Status allowed = open.files->Before("sync", open.path);
  if (!allowed.ok()) return CodeOf(allowed, SQLITE_IOERR_FSYNC);
  open.files->disk().Sync(*open.node);
  if (!open.new_name) return SQLITE_OK;
  open.new_name = false;
  return CodeOf(open.files->SyncDirectory(DirectoryOf(open.path)), SQLITE_IOERR_DIR_FSYNC);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  DatabaseFile& open = FileOf(file);
  *size = open.files->disk().Info(*open.node).size;
  return SQLITE_OK;
}

int Lock(sqlite3_file*, int) { return SQLITE_OK; }
int CheckReservedLock(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return kSectorSize; }
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

const sqlite3_io_methods* Methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods all{};
    all.iVersion = 1;
    all.xClose = Close;
    all.xRead = Read;
    all.xWrite = Write;
    all.xTruncate = Truncate;
    all.xSync = Sync;
    all.xFileSize = FileSize;
    all.xLock = Lock;
    all.xUnlock = Lock;
    all.xCheckReservedLock = CheckReservedLock;
    all.xFileControl = FileControl;
    all.xSectorSize = SectorSize;
    all.xDeviceCharacteristics = DeviceCharacteristics;
    return all;
  }();
  return &methods;
}

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  if (name == nullptr) return SQLITE_CANTOPEN;
  PowerCutFileSystem& files = FilesOf(vfs);
  const bool create = (flags & SQLITE_OPEN_CREATE) != 0 && !files.Exists(name);
  if (create) {
    const absl::Status allowed = files.Before("create", name);
    if (!allowed.ok()) return CodeOf(allowed, SQLITE_CANTOPEN);
  }
  absl::StatusOr<PowerCutDisk::NodePtr> node = files.disk().Open(name, create, /*truncate=*/false);
  if (!node.ok()) return SQLITE_CANTOPEN;
  const bool names_matter = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  new (file) DatabaseFile{{Methods()}, &files, *std::move(node), name, create && names_matter};
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  PowerCutFileSystem& files = FilesOf(vfs);
  const absl::Status removed = files.RemoveFile(name);
  if (absl::IsNotFound(removed)) return SQLITE_IOERR_DELETE_NOENT;
  if (!removed.ok()) return SQLITE_IOERR_DELETE;
  if (sync_directory == 0) return SQLITE_OK;
  return CodeOf(files.SyncDirectory(DirectoryOf(name)), SQLITE_IOERR_DIR_FSYNC);
}

int Access(sqlite3_vfs* vfs, const char* name, int, int* allowed) {
  *allowed = FilesOf(vfs).Exists(name) ? 1 : 0;
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

}  // namespace

PowerCutVfs::PowerCutVfs(PowerCutFileSystem& files) : vfs_(*sqlite3_vfs_find("unix")) {
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(DatabaseFile);
  vfs_.zName = "power-cut";
  vfs_.pNext = nullptr;
  vfs_.pAppData = &files;
  vfs_.xOpen = Open;
  vfs_.xDelete = Delete;
  vfs_.xAccess = Access;
  vfs_.xFullPathname = FullPathname;
  sqlite3_vfs_register(&vfs_, /*makeDflt=*/1);
}

PowerCutVfs::~PowerCutVfs() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(sqlite3_vfs_find("unix"), /*makeDflt=*/1);
}

}  // namespace heroq
