#pragma once

#include <functional>

namespace heroq {

// Runs both functions at the same time, `here` on the calling thread, and returns when both have ended.
// `there` must not throw; what `here` throws leaves after `there` has ended. Thread-safe, blocking.
void RunSideBySide(const std::function<void()>& here, const std::function<void()>& there);

}  // namespace heroq
