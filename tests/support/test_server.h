#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "common/rpc/channel.h"
#include "common/rpc/server_arguments.h"
#include "tests/support/temporary_directory.h"

namespace heroq {

// A gRPC server in this process on a Unix socket of its own, with the settings of a real one. Services
// outlive it.
class TestServer {
 public:
  explicit TestServer(const std::vector<grpc::Service*>& services)
      : address_("unix:" + directory_.File("s")), channel_(*NewChannel(address_)) {
    grpc::ServerBuilder builder;
    ApplyServerArguments(builder);
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    for (grpc::Service* service : services) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) std::abort();
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const std::string& address() const { return address_; }
  grpc::Server& server() { return *server_; }

 private:
  TemporaryDirectory directory_;
  const std::string address_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace heroq
