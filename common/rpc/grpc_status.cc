#include "common/rpc/grpc_status.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/status/error_reason.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace heroq {
namespace {

constexpr absl::string_view kDomain = "heroq";
constexpr absl::string_view kFieldPrefix = "field:";
constexpr std::size_t kMaxMessageBytes = 1536;
// Base64 on the wire makes 4 KiB of details 5.4 KiB; with the message that stays below 8 KiB.
constexpr std::size_t kMaxDetailsBytes = 4096;
constexpr int kRetryDelaySeconds = 1;

// Cuts on a code point boundary: protobuf strings must be UTF-8.
std::string Cut(absl::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::size_t end = limit - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "...");
}

std::string ReasonOf(const absl::Status& status) {
  std::string name = ReasonName(status);
  if (!name.empty()) return name;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return std::string(InfoOf(Reason::kUnavailable).name);
    case absl::StatusCode::kCancelled:
      return std::string(InfoOf(Reason::kCancelled).name);
    default:
      return std::string(InfoOf(Reason::kInternal).name);
  }
}

void AddViolation(google::rpc::BadRequest& request, absl::string_view field, absl::string_view description) {
  auto* violation = request.add_field_violations();
  violation->set_field(std::string(field));
  violation->set_description(std::string(description));
}

// As many violations as fit into `budget` bytes.
google::rpc::BadRequest MakeBadRequest(const std::map<std::string, std::string>& metadata,
                                       std::size_t budget) {
  google::rpc::BadRequest request;
  int left_out = 0;
  for (const auto& [key, value] : metadata) {
    if (!absl::StartsWith(key, kFieldPrefix)) continue;
    if (left_out == 0) {
      AddViolation(request, absl::StripPrefix(key, kFieldPrefix), Cut(value, 512));
      if (request.ByteSizeLong() <= budget) continue;
      request.mutable_field_violations()->RemoveLast();
    }
    ++left_out;
  }
  if (left_out > 0) AddViolation(request, "...", absl::StrCat(left_out, " more violations"));
  return request;
}

std::optional<Reason> FindReason(absl::string_view name) {
  for (const ReasonInfo& info : AllReasons()) {
    if (info.name == name) return info.reason;
  }
  return std::nullopt;
}

absl::Status WithReason(absl::StatusCode code, absl::string_view message, Reason reason,
                        std::map<std::string, std::string> metadata) {
  const absl::Status made = MakeError(reason, message, std::move(metadata));
  absl::Status status(code, message);
  made.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { status.SetPayload(url, payload); });
  return status;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string message = Cut(status.message(), kMaxMessageBytes);
  google::rpc::Status wire;
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(message);

  const std::map<std::string, std::string> metadata = ErrorMetadata(status);
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonOf(status));
  info.set_domain(std::string(kDomain));
  for (const auto& [key, value] : metadata) {
    if (!absl::StartsWith(key, kFieldPrefix)) (*info.mutable_metadata())[key] = Cut(value, 512);
    if (wire.ByteSizeLong() + info.ByteSizeLong() > kMaxDetailsBytes) info.mutable_metadata()->erase(key);
  }
  wire.add_details()->PackFrom(info);
  if (status.code() == absl::StatusCode::kUnavailable) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(kRetryDelaySeconds);
    wire.add_details()->PackFrom(retry);
  }
  const std::size_t used = std::min(wire.ByteSizeLong() + 128, kMaxDetailsBytes);
  const google::rpc::BadRequest bad_request = MakeBadRequest(metadata, kMaxDetailsBytes - used);
  if (bad_request.field_violations_size() > 0) wire.add_details()->PackFrom(bad_request);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message, wire.SerializeAsString());
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  google::rpc::Status wire;
  google::rpc::ErrorInfo info;
  std::map<std::string, std::string> metadata;
  if (!status.error_details().empty() && wire.ParseFromString(status.error_details())) {
    for (const auto& detail : wire.details()) {
      google::rpc::BadRequest bad_request;
      if (detail.UnpackTo(&info)) {
        metadata.insert(info.metadata().begin(), info.metadata().end());
      } else if (detail.UnpackTo(&bad_request)) {
        for (const auto& violation : bad_request.field_violations()) {
          metadata[absl::StrCat(kFieldPrefix, violation.field())] = violation.description();
        }
      }
    }
  }
  if (info.domain() == kDomain) {
    if (const std::optional<Reason> reason = FindReason(info.reason())) {
      return WithReason(code, status.error_message(), *reason, std::move(metadata));
    }
    return absl::Status(code, absl::StrCat(status.error_message(), " (reason ", info.reason(), ")"));
  }
  if (code == absl::StatusCode::kUnavailable) {
    return MakeError(Reason::kUnavailable, status.error_message());
  }
  return absl::Status(code, status.error_message());
}

}  // namespace heroq
