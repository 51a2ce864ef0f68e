#include "common/file/temporary_name.h"

#include <atomic>
#include <cstdint>
#include <random>

#include "absl/strings/str_cat.h"

namespace heroq {

std::string TemporaryName() {
  // Process ids repeat between containers that share a volume.
  static const uint64_t process = [] {
    std::random_device device;
    return (uint64_t{device()} << 32) | device();
  }();
  static std::atomic<uint64_t> count{0};
  return absl::StrCat(absl::Hex(process, absl::kZeroPad16), "-", count.fetch_add(1));
}

}  // namespace heroq
