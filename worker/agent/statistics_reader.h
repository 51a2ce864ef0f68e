#pragma once

#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <map>

#include "absl/status/statusor.h"
#include "common/blob/blob_store.h"
#include "common/model/model_layout.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/calibration/layer_statistics.h"

namespace heroq {

// Fetches the statistics nodes of a Quantize task and adds them up the fixed tree: for each distinct input
// the second moments over all `shards` shards, float32 [in, in] on the CPU. The nodes of an input may come in
// any order and cut but must cover every shard exactly once: INTERNAL otherwise. Blob errors pass through.
absl::StatusOr<std::map<LinearInput, LayerStatistics>> ReadStatistics(
    BlobStore& blobs, const google::protobuf::RepeatedPtrField<v1::StatisticsNode>& nodes, int64_t shards);

}  // namespace heroq
