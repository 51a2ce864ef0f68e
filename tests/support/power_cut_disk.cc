#include "tests/support/power_cut_disk.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file/io_error.h"

namespace heroq {
namespace {

constexpr int64_t kSectorBytes = 512;

void WriteInto(std::string& data, int64_t offset, absl::string_view bytes) {
  const auto end = static_cast<std::size_t>(offset) + bytes.size();
  if (data.size() < end) data.resize(end);
  std::copy(bytes.begin(), bytes.end(), data.begin() + offset);
}

void ApplyChange(std::string& data, const DiskNode::Change& change) {
  if (change.truncates) {
    data.resize(static_cast<std::size_t>(change.offset));
  } else {
    WriteInto(data, change.offset, change.bytes);
  }
}

FileInfo InfoOf(const DiskNode& node) {
  FileInfo info;
  info.size = static_cast<int64_t>(node.data.size());
  info.modify_time_nanos = node.modify_time_nanos;
  info.change_time_nanos = node.change_time_nanos;
  info.inode = node.inode;
  info.is_directory = node.is_directory;
  info.is_regular = !node.is_directory;
  return info;
}

}  // namespace

// Copies a disk as a power cut leaves it.
class PowerCutDisk::Image {
 public:
  explicit Image(uint64_t seed) : random_(seed), keeps_(seed % 4 == 0 ? 0 : seed % 4 == 1 ? 2 : 1) {}

  // Whether an unsynced change is kept.
  bool Keeps() { return keeps_ == 1 ? random_() % 2 == 0 : keeps_ == 2; }
  void Keep(const Operation& operation) {
    for (const EntryChange& change : operation) kept_[{change.directory.get(), change.name}] = change.node;
  }

  NodePtr Copy(const DiskNode& node) {
    NodePtr& copy = copies_[&node];
    if (copy != nullptr) return copy;
    copy = std::make_shared<DiskNode>();
    copy->is_directory = node.is_directory;
    copy->inode = node.inode;
    copy->modify_time_nanos = node.modify_time_nanos;
    copy->change_time_nanos = node.change_time_nanos;
    if (!node.is_directory) {
      copy->durable = copy->data = ContentOf(node);
      return copy;
    }
    const NodePtr directory = copy;
    std::map<std::string, NodePtr> entries = node.durable_entries;
    for (auto kept = kept_.lower_bound({&node, ""}); kept != kept_.end() && kept->first.first == &node;
         ++kept) {
      if (kept->second == nullptr) {
        entries.erase(kept->first.second);
      } else {
        entries[kept->first.second] = kept->second;
      }
    }
    for (const auto& [name, child] : entries) directory->entries[name] = Copy(*child);
    directory->durable_entries = directory->entries;
    return directory;
  }

 private:
  std::string ContentOf(const DiskNode& file) {
    std::string content = file.durable;
    for (const DiskNode::Change& change : file.unsynced) {
      const bool torn = keeps_ == 1 && !change.truncates && random_() % 3 == 0;
      if (torn) {
        Tear(content, change);
      } else if (Keeps()) {
        ApplyChange(content, change);
      }
    }
    return content;
  }

  void Tear(std::string& content, const DiskNode::Change& change) {
    const int64_t end = change.offset + static_cast<int64_t>(change.bytes.size());
    for (int64_t begin = change.offset; begin < end;) {
      const int64_t next = std::min(end, (begin / kSectorBytes + 1) * kSectorBytes);
      if (random_() % 2 == 0) {
        WriteInto(content, begin,
                  absl::string_view(change.bytes).substr(begin - change.offset, next - begin));
      }
      begin = next;
    }
  }

  std::mt19937_64 random_;
  const int keeps_;  // of the unsynced changes: 0 none, 1 some, 2 all
  std::map<EntryKey, NodePtr> kept_;
  std::map<const DiskNode*, NodePtr> copies_;
};

PowerCutDisk::PowerCutDisk() {
  absl::MutexLock lock(&mutex_);
  root_ = NewNodeLocked(/*is_directory=*/true);
}

PowerCutDisk::NodePtr PowerCutDisk::NewNodeLocked(bool is_directory) {
  auto node = std::make_shared<DiskNode>();
  node->is_directory = is_directory;
  node->inode = ++inodes_;
  MarkWrittenLocked(*node);
  return node;
}

PowerCutDisk::NodePtr PowerCutDisk::FindLocked(const std::string& path) const {
  NodePtr node = root_;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    const auto found = node->entries.find(std::string(part));
    if (found == node->entries.end()) return nullptr;
    node = found->second;
  }
  return node;
}

void PowerCutDisk::MarkWrittenLocked(DiskNode& node) {
  node.modify_time_nanos = node.change_time_nanos = ++changes_;
}

void PowerCutDisk::ApplyLocked(Operation operation) {
  for (const EntryChange& change : operation) {
    if (change.node == nullptr) {
      change.directory->entries.erase(change.name);
    } else {
      change.directory->entries[change.name] = change.node;
    }
  }
  unsynced_.push_back(std::move(operation));
}

absl::StatusOr<PowerCutDisk::NodePtr> PowerCutDisk::Open(const std::string& path, bool create,
                                                         bool truncate) {
  absl::MutexLock lock(&mutex_);
  NodePtr node = FindLocked(path);
  if (node == nullptr) {
    const NodePtr parent = FindLocked(DirectoryOf(path));
    if (!create || parent == nullptr || !parent->is_directory) return IoError(ENOENT, "open", path);
    node = NewNodeLocked(/*is_directory=*/false);
    ApplyLocked({{parent, BaseName(path), node}});
  } else if (node->is_directory) {
    return IoError(EISDIR, "open", path);
  } else if (truncate && !node->data.empty()) {
    node->data.clear();
    node->unsynced.push_back({0, "", true});
    MarkWrittenLocked(*node);
  }
  return node;
}

std::string PowerCutDisk::Read(const DiskNode& file, int64_t offset, int64_t size) {
  absl::MutexLock lock(&mutex_);
  if (offset >= static_cast<int64_t>(file.data.size())) return "";
  return file.data.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

FileInfo PowerCutDisk::Info(const DiskNode& node) {
  absl::MutexLock lock(&mutex_);
  return InfoOf(node);
}

void PowerCutDisk::Write(DiskNode& file, int64_t offset, absl::string_view bytes) {
  absl::MutexLock lock(&mutex_);
  file.unsynced.push_back({offset, std::string(bytes), false});
  WriteInto(file.data, offset, bytes);
  MarkWrittenLocked(file);
}

void PowerCutDisk::Append(DiskNode& file, absl::string_view bytes) { Write(file, Info(file).size, bytes); }

void PowerCutDisk::Truncate(DiskNode& file, int64_t size) {
  absl::MutexLock lock(&mutex_);
  file.unsynced.push_back({size, "", true});
  file.data.resize(static_cast<std::size_t>(size));
  MarkWrittenLocked(file);
}

void PowerCutDisk::Sync(DiskNode& file) {
  absl::MutexLock lock(&mutex_);
  for (const DiskNode::Change& change : file.unsynced) ApplyChange(file.durable, change);
  file.unsynced.clear();
}

absl::StatusOr<FileInfo> PowerCutDisk::Stat(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  const NodePtr node = FindLocked(path);
  if (node == nullptr) return IoError(ENOENT, "stat", path);
  return InfoOf(*node);
}

absl::StatusOr<std::vector<std::string>> PowerCutDisk::List(const std::string& directory) {
  absl::MutexLock lock(&mutex_);
  const NodePtr node = FindLocked(directory);
  if (node == nullptr) return IoError(ENOENT, "list", directory);
  if (!node->is_directory) return IoError(ENOTDIR, "list", directory);
  std::vector<std::string> names;
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

absl::Status PowerCutDisk::CreateDirectories(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  NodePtr node = root_;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(path, '/', absl::SkipEmpty()))) {
    const auto found = node->entries.find(part);
    NodePtr next = found == node->entries.end() ? nullptr : found->second;
    if (next == nullptr) {
      next = NewNodeLocked(/*is_directory=*/true);
      ApplyLocked({{node, part, next}});
    }
    if (!next->is_directory) return IoError(ENOTDIR, "create directory", path);
    node = next;
  }
  return absl::OkStatus();
}

absl::Status PowerCutDisk::Rename(const std::string& from, const std::string& to, bool replace) {
  const std::string both = absl::StrCat(from, " to ", to);
  absl::MutexLock lock(&mutex_);
  const NodePtr node = FindLocked(from);
  const NodePtr parent = FindLocked(DirectoryOf(to));
  if (node == nullptr || parent == nullptr) return IoError(ENOENT, "rename", both);
  if (const NodePtr replaced = FindLocked(to); replaced != nullptr) {
    if (!replace) return IoError(EEXIST, "rename", both);
    if (replaced->is_directory != node->is_directory) return IoError(ENOTDIR, "rename", both);
    if (!replaced->entries.empty()) return IoError(ENOTEMPTY, "rename", both);
  }
  node->change_time_nanos = ++changes_;
  ApplyLocked({{FindLocked(DirectoryOf(from)), BaseName(from), nullptr}, {parent, BaseName(to), node}});
  return absl::OkStatus();
}

absl::Status PowerCutDisk::RemoveFile(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  const NodePtr node = FindLocked(path);
  if (node == nullptr) return IoError(ENOENT, "remove", path);
  if (node->is_directory) return IoError(EISDIR, "remove", path);
  ApplyLocked({{FindLocked(DirectoryOf(path)), BaseName(path), nullptr}});
  return absl::OkStatus();
}

void PowerCutDisk::RemoveBelowLocked(const NodePtr& directory) {
  const std::map<std::string, NodePtr> entries = directory->entries;
  for (const auto& [name, child] : entries) {
    if (child->is_directory) RemoveBelowLocked(child);
    ApplyLocked({{directory, name, nullptr}});
  }
}

absl::Status PowerCutDisk::RemoveTree(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  const NodePtr node = FindLocked(path);
  if (node == nullptr) return absl::OkStatus();
  RemoveBelowLocked(node);
  ApplyLocked({{FindLocked(DirectoryOf(path)), BaseName(path), nullptr}});
  return absl::OkStatus();
}

void PowerCutDisk::MakeDurableLocked(std::size_t index) {
  const Operation operation = std::move(unsynced_[index]);
  unsynced_.erase(unsynced_.begin() + static_cast<std::ptrdiff_t>(index));
  for (const EntryChange& change : operation) {
    if (change.node == nullptr) {
      change.directory->durable_entries.erase(change.name);
    } else {
      change.directory->durable_entries[change.name] = change.node;
    }
    // What was done to this name before is history now.
    for (std::size_t i = 0; i < index; ++i) {
      std::erase_if(unsynced_[i], [&](const EntryChange& earlier) {
        return earlier.directory == change.directory && earlier.name == change.name;
      });
    }
  }
}

absl::Status PowerCutDisk::SyncDirectory(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  const NodePtr node = FindLocked(path);
  if (node == nullptr) return IoError(ENOENT, "open", path);
  for (std::size_t i = 0; i < unsynced_.size();) {
    const bool touches = std::any_of(unsynced_[i].begin(), unsynced_[i].end(),
                                     [&](const EntryChange& change) { return change.directory == node; });
    if (touches) {
      MakeDurableLocked(i);
    } else {
      ++i;
    }
  }
  return absl::OkStatus();
}

void PowerCutDisk::SyncAll() {
  absl::MutexLock lock(&mutex_);
  unsynced_.clear();
  std::vector<NodePtr> open = {root_};
  while (!open.empty()) {
    const NodePtr node = open.back();
    open.pop_back();
    node->durable = node->data;
    node->unsynced.clear();
    node->durable_entries = node->entries;
    for (const auto& [name, child] : node->entries) open.push_back(child);
  }
}

std::unique_ptr<PowerCutDisk> PowerCutDisk::AfterPowerCut(uint64_t seed) {
  absl::MutexLock lock(&mutex_);
  Image image(seed);
  for (const Operation& operation : unsynced_) {
    if (image.Keeps()) image.Keep(operation);
  }
  auto after = std::make_unique<PowerCutDisk>();
  absl::MutexLock after_lock(&after->mutex_);
  after->root_ = image.Copy(*root_);
  after->inodes_ = inodes_;
  after->changes_ = changes_;
  return after;
}

}  // namespace heroq
