#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/address.h"

namespace heroq {

struct AdminPages {
  // Prometheus' text format.
  std::function<std::string()> metrics;
  // Whether requests are served.
  std::function<bool()> ready;
};

// HTTP for operators, read-only: /metrics, /livez (the process answers) and /readyz (503 until it serves).
// Thread-safe.
class AdminServer {
 public:
  // Listens before it returns. UNSUPPORTED for an address that is not on loopback, INVALID_SPEC for a Unix
  // socket, UNAVAILABLE when the port is taken.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const Address& address, AdminPages pages);
  // Waits for running requests.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  int port() const;

 private:
  class Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace heroq
