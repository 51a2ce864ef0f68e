#include "common/rpc/address.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

// sizeof(sockaddr_un::sun_path) less the terminating NUL.
constexpr std::size_t kMaxUnixPathBytes = 107;

absl::Status Refuse(absl::string_view text, absl::string_view why) {
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("address \"", text, "\" ", why, "; expected unix:PATH or HOST:PORT"),
                   {{"address", std::string(text)}});
}

}  // namespace

std::string Address::ToString() const {
  if (is_unix) return absl::StrCat("unix:", path);
  if (absl::StrContains(host, ":")) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

bool Address::IsLocal() const {
  if (is_unix || host == "localhost" || host == "::1") return true;
  // Digits and dots only, so that a name like 127.example.org does not pass.
  return absl::StartsWith(host, "127.") && host.find_first_not_of("0123456789.") == std::string::npos;
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  Address address;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    address.is_unix = true;
    address.path = std::string(rest);
    if (rest.empty()) return Refuse(text, "has no path");
    if (rest.size() > kMaxUnixPathBytes) {
      return Refuse(text, absl::StrCat("has a path of ", rest.size(), " bytes; Unix sockets end at ",
                                       kMaxUnixPathBytes, ": use a shorter directory"));
    }
    return address;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return Refuse(text, "has no port");
  absl::string_view host = text.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]")) return Refuse(text, "has an unclosed bracket");
  } else if (absl::StrContains(host, ":")) {
    return Refuse(text, "has an IPv6 host without brackets");
  }
  if (host.empty()) return Refuse(text, "has no host");
  const absl::string_view port = text.substr(colon + 1);
  if (port.empty() || port.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(port, &address.port) || address.port > 65535) {
    return Refuse(text, "has a port that is not a number from 0 to 65535");
  }
  address.host = std::string(host);
  return address;
}

}  // namespace heroq
