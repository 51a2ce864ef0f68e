#pragma once

#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// Turns the exception being handled into a status: out of memory -> OUT_OF_MEMORY, anything else LibTorch
// throws -> INTERNAL. `what` is the work that failed, for the message. Call it inside a catch block only.
absl::Status StatusOfCurrentException(absl::string_view what);

template <typename T>
struct CaughtType {
  using type = absl::StatusOr<T>;
};
template <>
struct CaughtType<void> {
  using type = absl::Status;
};
template <>
struct CaughtType<absl::Status> {
  using type = absl::Status;
};
template <typename T>
struct CaughtType<absl::StatusOr<T>> {
  using type = absl::StatusOr<T>;
};

// Runs `function`, which may throw what LibTorch throws, and returns its value or an error: the only way
// exceptions end. T -> StatusOr<T>, void and Status -> Status, StatusOr<T> stays.
template <typename Function>
auto CatchTorch(absl::string_view what, Function&& function) ->
    typename CaughtType<std::invoke_result_t<Function>>::type {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
      std::forward<Function>(function)();
      return absl::OkStatus();
    } else {
      return std::forward<Function>(function)();
    }
  } catch (...) {
    return StatusOfCurrentException(what);
  }
}

}  // namespace heroq
