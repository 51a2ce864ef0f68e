#include "coordinator/assembly/blob_collection.h"

#include <map>
#include <vector>

#include "common/blob/digest_proto.h"
#include "common/status/status_macros.h"
#include "coordinator/state/blob_use.h"

namespace heroq {
namespace {

// Blobs that running jobs still read, or write files from.
std::set<std::string> NeededByAny(const CoordinatorState& state) {
  std::set<std::string> needed;
  for (const auto& [id, job] : state.jobs) {
    if (job->terminal() || job->plan == nullptr) continue;
    for (const auto& [sha256, digest] : NeededBlobs(*job)) needed.insert(sha256);
    for (const TaskRecord& task : job->tasks) {
      if (task.result == nullptr) continue;
      for (const v1::NamedBlob& output : task.result->outputs()) {
        if (output.name() == "unit") needed.insert(output.digest().sha256());
      }
    }
  }
  return needed;
}

}  // namespace

absl::Status DropUnneededBlobs(const CoordinatorState& state, const JobRecord& job, DirectoryBlobStore& blobs,
                               std::set<std::string>& dropped) {
  const std::set<std::string> needed = NeededByAny(state);
  for (const auto& [sha256, digest] : ReferencedBlobs(job)) {
    if (needed.count(sha256) > 0) {
      dropped.erase(sha256);
    } else if (dropped.count(sha256) == 0) {
      HEROQ_RETURN_IF_ERROR(blobs.Remove(DigestFromProto(digest)));
      dropped.insert(sha256);
    }
  }
  return absl::OkStatus();
}

absl::Status SweepBlobs(const CoordinatorState& state, FileSystem& files, DirectoryBlobStore& blobs,
                        absl::Time now, absl::Duration age, bool keep_ended) {
  std::set<std::string> referenced;
  for (const auto& [id, job] : state.jobs) {
    if (job->terminal() && !keep_ended) continue;
    for (const auto& [sha256, digest] : ReferencedBlobs(*job)) referenced.insert(sha256);
  }
  HEROQ_ASSIGN_OR_RETURN(const std::vector<Digest> all, blobs.ListBlobs());
  for (const Digest& digest : all) {
    if (referenced.count(digest.sha256) > 0) continue;
    const absl::StatusOr<FileInfo> info = files.Stat(blobs.PathOf(digest));
    if (!info.ok() || now - absl::FromUnixNanos(info->modify_time_nanos) < age) continue;
    HEROQ_RETURN_IF_ERROR(blobs.Remove(digest));
  }
  return absl::OkStatus();
}

}  // namespace heroq
