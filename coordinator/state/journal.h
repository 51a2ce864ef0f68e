#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "heroq/v1/journal.pb.h"

namespace heroq {

enum class Sync {
  kNow,       // durable when Append returns
  kWithNext,  // written, and durable with the next append that syncs: a power cut may take it until then, and
              // never leaves one without those before it
};

// An append-only, durable list of updates. One writer; implementations: SQLite, memory (tests).
// Thread-compatible.
class Journal {
 public:
  virtual ~Journal() = default;
  // Calls `visit` with every update in order; stops at its first error. FILE_CORRUPT names the record.
  virtual absl::Status Replay(const std::function<absl::Status(const v1::Update&)>& visit) = 0;
  // All updates in one transaction. After an error the process must stop: what is on disk is unknown until
  // the next Replay.
  virtual absl::Status Append(const std::vector<const v1::Update*>& updates, Sync sync) = 0;
};

}  // namespace heroq
