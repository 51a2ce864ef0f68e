#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// Where a server listens: "unix:PATH" or "HOST:PORT" (an IPv6 host in brackets; port 0: any free one).
struct Address {
  bool is_unix = false;
  std::string path;  // of a Unix socket
  std::string host;  // without brackets
  int port = 0;

  // The form gRPC takes and people read.
  std::string ToString() const;
  // True for Unix sockets, "localhost", 127.0.0.0/8 and ::1: what may be plaintext.
  bool IsLocal() const;
};

// INVALID_SPEC says what is wrong; the path of a Unix socket is at most 107 bytes (the kernel's limit).
absl::StatusOr<Address> ParseAddress(absl::string_view text);

}  // namespace heroq
