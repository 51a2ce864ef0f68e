#pragma once

namespace heroq {

// Makes LibTorch (ATen, OpenMP, oneDNN, MKL) use `threads` threads for what the calling thread runs next. The
// count is part of a job's numeric result, so it is the job's, not the machine's. Call on the thread that
// runs the task.
void SetTaskThreads(int threads);

// While alive, LibTorch runs on the calling thread alone: for work whose float results depend on how many
// threads share it (factorisations, float32 products). The calling thread's setting comes back at the end.
class OneThreadScope {
 public:
  OneThreadScope();
  ~OneThreadScope();
  OneThreadScope(const OneThreadScope&) = delete;
  OneThreadScope& operator=(const OneThreadScope&) = delete;

 private:
  const int threads_;
};

}  // namespace heroq
