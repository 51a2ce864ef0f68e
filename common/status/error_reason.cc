#include "common/status/error_reason.h"

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace heroq {
namespace {

constexpr absl::string_view kReasonUrl = "heroq/reason";
constexpr absl::string_view kMetadataUrl = "heroq/metadata";

constexpr ReasonInfo kReasons[] = {
#define HEROQ_REASON(enumerator, name, code, cause, remedy) {Reason::enumerator, name, code, cause, remedy},
#include "common/status/error_reasons.inc"
#undef HEROQ_REASON
};

}  // namespace

absl::Span<const ReasonInfo> AllReasons() { return kReasons; }

const ReasonInfo& InfoOf(Reason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

absl::Status MakeError(Reason reason, absl::string_view message,
                       std::map<std::string, std::string> metadata) {
  const ReasonInfo& info = InfoOf(reason);
  absl::Status status(info.code, message);
  status.SetPayload(kReasonUrl, absl::Cord(info.name));
  if (!metadata.empty()) {
    std::string text;
    // NUL separates: ids, paths and tensor names cannot hold it.
    for (const auto& [key, value] : metadata) {
      text.append(key).push_back('\0');
      text.append(value).push_back('\0');
    }
    status.SetPayload(kMetadataUrl, absl::Cord(text));
  }
  return status;
}

std::string ReasonName(const absl::Status& status) {
  auto payload = status.GetPayload(kReasonUrl);
  return payload.has_value() ? std::string(*payload) : "";
}

std::map<std::string, std::string> ErrorMetadata(const absl::Status& status) {
  std::map<std::string, std::string> metadata;
  auto payload = status.GetPayload(kMetadataUrl);
  if (!payload.has_value()) return metadata;
  const std::string text(*payload);
  const std::vector<std::string> parts = absl::StrSplit(text, '\0');
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) metadata[parts[i]] = parts[i + 1];
  return metadata;
}

bool HasReason(const absl::Status& status, Reason reason) {
  return ReasonName(status) == InfoOf(reason).name;
}

absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(prefix, ": ", status.message()));
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

}  // namespace heroq
