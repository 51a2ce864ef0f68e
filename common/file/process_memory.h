#pragma once

#include <cstdint>

namespace heroq {

// Memory of this process that is in RAM now; 0 where the system does not say.
int64_t ResidentBytes();

// Gives the kernel back what this process has freed and keeps for what it allocates next, when that is more
// than `kept_bytes`. Takes milliseconds, and so does touching that memory again.
void ReturnFreedMemory(int64_t kept_bytes);

}  // namespace heroq
