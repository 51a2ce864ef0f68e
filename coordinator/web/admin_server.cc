#include "coordinator/web/admin_server.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {

class AdminServer::Impl {
 public:
  explicit Impl(AdminPages pages) : pages_(std::move(pages)) {
    server_.Get("/livez", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("ok\n", "text/plain");
    });
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      const bool ready = pages_.ready();
      response.status = ready ? 200 : 503;
      response.set_content(ready ? "ok\n" : "not serving\n", "text/plain");
    });
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(pages_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    });
  }

  ~Impl() {
    if (!thread_.joinable()) return;
    server_.stop();
    thread_.join();
  }

  // False when the address is taken.
  bool Listen(const Address& address) {
    port_ = address.port;
    if (port_ == 0)
      port_ = server_.bind_to_any_port(address.host.c_str());
    else if (!server_.bind_to_port(address.host.c_str(), port_))
      return false;
    if (port_ <= 0) return false;
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() before the thread has got here would be lost.
    while (!server_.is_running()) std::this_thread::yield();
    return true;
  }

  int port() const { return port_; }

 private:
  const AdminPages pages_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AdminServer::~AdminServer() = default;

int AdminServer::port() const { return impl_->port(); }

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const Address& address, AdminPages pages) {
  if (address.is_unix)
    return MakeError(Reason::kInvalidSpec, "the admin listener takes HOST:PORT, not a Unix socket");
  if (!address.IsLocal()) {
    return MakeError(Reason::kUnsupported,
                     absl::StrCat("admin listener ", address.ToString(), ": only loopback may be plaintext"));
  }
  auto impl = std::make_unique<Impl>(std::move(pages));
  if (!impl->Listen(address)) {
    return MakeError(Reason::kUnavailable, absl::StrCat("cannot listen on ", address.ToString()));
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

}  // namespace heroq
