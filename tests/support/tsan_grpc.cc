// Tells ThreadSanitizer what gRPC orders between threads. The system's gRPC is not instrumented, and what it
// hands from one thread to another through atomics would look like a race. Linked into programs of the tsan
// preset only; the definitions here are found before those of the library and call them.
//
// Seen: an operation's start happens before its completion comes out of a queue, one ordering per operation;
// every callback of a call but OnCancel happens before the call's OnDone; the end of every call happens
// before the end of a server's shutdown. The library's own locks are seen too, by tsan_mutex.cc; as with any
// lock, a race whose two sides they happen to keep apart goes unseen. Not seen, on purpose: that a message is
// sent before it is received. It would order every call with every other one; client and server that share
// memory in one program need a lock of their own.
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <grpcpp/support/server_callback.h>

#include <cstdlib>

extern "C" {
void __tsan_acquire(void* address);  // NOLINT(bugprone-reserved-identifier)
void __tsan_release(void* address);  // NOLINT(bugprone-reserved-identifier)
}

namespace {

// One for all servers: the end of a call does not tell which server it was of. Only the end of a shutdown
// takes part in that order.
char call_ended = 0;

template <typename Function>
Function* Library(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

}  // namespace

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* operations, size_t count, void* tag,
                                      void* reserved) {
  static auto* const library = Library<decltype(grpc_call_start_batch)>("grpc_call_start_batch");
  __tsan_release(tag);
  return library(call, operations, count, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline, void* reserved) {
  static auto* const library = Library<decltype(grpc_completion_queue_next)>("grpc_completion_queue_next");
  const grpc_event event = library(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  // The last a server's shutdown waits for is the end of its own queue.
  if (event.type == GRPC_QUEUE_SHUTDOWN) __tsan_acquire(&call_ended);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag, gpr_timespec deadline,
                                       void* reserved) {
  static auto* const library = Library<decltype(grpc_completion_queue_pluck)>("grpc_completion_queue_pluck");
  const grpc_event event = library(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(tag);
  return event;
}

void grpc_call_unref(grpc_call* call) {
  static auto* const library = Library<decltype(grpc_call_unref)>("grpc_call_unref");
  __tsan_release(&call_ended);
  library(call);
}

}  // extern "C"

namespace grpc::internal {

// Whichever callback of a call counts down to zero comes here, at times from inside the library. The counters
// are the object's only members, and what was counted down in instrumented code is known by their addresses.
void ServerCallbackCall::ScheduleOnDone(bool in_this_thread) {
  static auto* const library =
      Library<void(ServerCallbackCall*, bool)>("_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb");
  for (char* part = reinterpret_cast<char*>(this); part < reinterpret_cast<char*>(this + 1);
       part += sizeof(std::atomic_int)) {
    __tsan_acquire(part);
  }
  library(this, in_this_thread);
}

}  // namespace grpc::internal
