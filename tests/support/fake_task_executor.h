#pragma once

#include <functional>
#include <string>

#include "worker/agent/task_executor.h"

namespace heroq {

// Gives every task the result a correct worker gives, without numbers: it reads the blobs the task names, and
// stores small ones whose content is a function of the task alone. `before`, when set, runs first; its error
// is the task's.
class FakeTaskExecutor final : public TaskExecutor {
 public:
  using Before = std::function<absl::Status(const v1::Task& task, const TaskEnvironment& environment)>;

  explicit FakeTaskExecutor(Before before = nullptr) : before_(std::move(before)) {}

  absl::StatusOr<v1::TaskResult> Execute(const v1::Task& task, const v1::JobContext& context,
                                         const TaskEnvironment& environment) override;

 private:
  const Before before_;
};

}  // namespace heroq
