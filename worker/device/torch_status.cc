#include "worker/device/torch_status.h"

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {

absl::Status StatusOfCurrentException(absl::string_view what) {
  try {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    return MakeError(Reason::kOutOfMemory, absl::StrCat(what, ": ", error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    // The CPU allocator has no exception type of its own.
    const bool out_of_memory = absl::StrContains(message, "DefaultCPUAllocator: can't allocate memory") ||
                               absl::StrContains(message, "DefaultCPUAllocator: not enough memory");
    return MakeError(out_of_memory ? Reason::kOutOfMemory : Reason::kInternal,
                     absl::StrCat(what, ": ", message));
  } catch (const std::bad_alloc&) {
    return MakeError(Reason::kOutOfMemory, absl::StrCat(what, ": an allocation failed"));
  } catch (const std::exception& error) {
    return MakeError(Reason::kInternal, absl::StrCat(what, ": ", error.what()));
  } catch (...) {
    return MakeError(Reason::kInternal, absl::StrCat(what, ": an unknown exception"));
  }
}

}  // namespace heroq
