#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/file/file_system.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// "model.safetensors.index.json" of a plan with several files: total_size and weight_map in name order. Pure.
std::string IndexJson(const v1::Plan& plan);

// Writes to `directory` what readers need beside the weights: config.json with quantization_config, of a GPTQ
// checkpoint also quantize_config.json, the index where there are several files, and the copied files.
// SOURCE_CHANGED when a copied file is not what was planned. Idempotent, durable.
absl::Status WriteSideFiles(FileSystem& files, const v1::Plan& plan, const std::string& directory);

// Names of the files WriteSideFiles writes, sorted.
std::vector<std::string> SideFileNames(const v1::Plan& plan);

}  // namespace heroq
