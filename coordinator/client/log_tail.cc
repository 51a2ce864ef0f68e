#include "coordinator/client/log_tail.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace heroq {

std::vector<std::string> LastLines(FileSystem& files, const std::string& path, int count) {
  constexpr int64_t kTailBytes = 16 << 10;
  const auto file = files.OpenForRead(path);
  if (!file.ok()) return {};
  const auto info = (*file)->Stat();
  if (!info.ok()) return {};
  const int64_t size = std::min(info->size, kTailBytes);
  std::string text(static_cast<std::size_t>(size), '\0');
  if (!(*file)->ReadAt(info->size - size, size, text.data()).ok()) return {};
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::StripAsciiWhitespace(line).empty()) lines.emplace_back(line);
  }
  const std::size_t wanted = static_cast<std::size_t>(count);
  if (lines.size() > wanted) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(wanted));
  return lines;
}

}  // namespace heroq
