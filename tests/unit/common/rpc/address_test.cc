#include "common/rpc/address.h"

#include <gtest/gtest.h>

#include <string>

#include "common/rpc/channel.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(AddressTest, ParsesUnixAndTcp) {
  const Address socket = *ParseAddress("unix:/run/heroq/c.sock");
  EXPECT_TRUE(socket.is_unix);
  EXPECT_EQ(socket.path, "/run/heroq/c.sock");
  const Address tcp = *ParseAddress("localhost:0");
  EXPECT_EQ(tcp.host, "localhost");
  EXPECT_EQ(tcp.port, 0);
  const Address six = *ParseAddress("[::1]:8080");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 8080);
  for (const char* text : {"unix:/run/heroq/c.sock", "localhost:0", "[::1]:8080", "10.0.0.1:65535"}) {
    EXPECT_EQ(ParseAddress(text)->ToString(), text);
  }
}

TEST(AddressTest, RefusesMalformedText) {
  for (const char* text : {"", "unix:", "localhost", ":80", "host:", "host:-1", "host:65536", "host:8x",
                           "host: 80", "::1:80", "[::1:80", "[]:80"}) {
    const auto address = ParseAddress(text);
    EXPECT_TRUE(HasReason(address.status(), Reason::kInvalidSpec)) << text;
  }
  EXPECT_FALSE(NewChannel("nowhere").ok());
}

TEST(AddressTest, UnixPathEndsAt107Bytes) {
  EXPECT_TRUE(ParseAddress("unix:" + std::string(107, 'p')).ok());
  EXPECT_TRUE(HasReason(ParseAddress("unix:" + std::string(108, 'p')).status(), Reason::kInvalidSpec));
}

TEST(AddressTest, OnlyLoopbackAndUnixAreLocal) {
  for (const char* text : {"unix:/x", "localhost:1", "127.0.0.1:1", "127.8.0.1:1", "[::1]:1"}) {
    EXPECT_TRUE(ParseAddress(text)->IsLocal()) << text;
  }
  for (const char* text :
       {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "127.evil.example:1", "node:1", "localhost.example:1"}) {
    EXPECT_FALSE(ParseAddress(text)->IsLocal()) << text;
  }
}

}  // namespace
}  // namespace heroq
