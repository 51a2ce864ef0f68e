#pragma once

namespace heroq {

// Makes LibTorch (ATen, OpenMP, oneDNN, MKL) use `threads` threads for what the calling thread runs next. The
// count is part of a job's numeric result, so it is the job's, not the machine's. Call on the thread that
// runs the task.
void SetTaskThreads(int threads);

}  // namespace heroq
