#include "common/concurrency/side_by_side.h"

#include <thread>

namespace heroq {

void RunSideBySide(const std::function<void()>& here, const std::function<void()>& there) {
  const std::jthread other(there);
  here();
}

}  // namespace heroq
