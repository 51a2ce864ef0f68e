#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace heroq {

// Where one file of a checkpoint begins and ends in a list of pieces.
struct ShardPieces {
  size_t begin = 0;
  size_t end = 0;
};

// Cuts pieces (tensors that stay together), in order, into the fewest files a greedy fill gives: a file takes
// the next piece unless its tensor data would exceed `max_bytes`. A piece above `max_bytes` gets a file of
// its own. No pieces, no files. Pure.
std::vector<ShardPieces> SplitIntoShards(const std::vector<int64_t>& piece_bytes, int64_t max_bytes);

// "model.safetensors" when there is one file, else "model-00001-of-00003.safetensors" (index from 0).
std::string ShardName(size_t index, size_t count);

}  // namespace heroq
