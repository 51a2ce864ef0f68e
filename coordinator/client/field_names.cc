#include "coordinator/client/field_names.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

struct FieldFlag {
  absl::string_view field;
  absl::string_view flag;
};

constexpr FieldFlag kFlags[] = {
    {"model.location", "MODEL"},
    {"output.location", "--output"},
    {"output.format", "--format"},
    {"output.max_shard_bytes", "--max-shard-size"},
    {"calibration.source.text_files", "--calibration"},
    {"calibration.source.tokens_file", "--calibration-tokens"},
    {"calibration.source", "--calibration"},
    {"calibration.samples", "--samples"},
    {"calibration.sequence_length", "--sequence-length"},
    {"calibration.shards", "--shards"},
    {"calibration.micro_batch", "--micro-batch"},
    {"calibration.threads_per_task", "--threads"},
    {"worker_memory_bytes", "--memory"},
    {"calibration.seed", "--seed"},
    {"calibration.propagation", "--propagation"},
    {"calibration.compute_type", "--compute"},
    {"scheme.weight_bits", "--bits"},
    {"scheme.group_size", "--group-size"},
    {"scheme.symmetry", "--symmetric"},
    {"scheme.overrides", "--override/--keep"},
    {"method.rtn.scale_search", "--scale-search"},
    {"method.gptq.scale_search", "--scale-search"},
    {"method.gptq.act_order", "--act-order"},
    {"method.gptq.damping", "--damping"},
    {"method", "--method"},
    {"evaluation.source.text_files", "--evaluation"},
    {"evaluation.source.tokens_file", "--evaluation-tokens"},
    {"evaluation.source", "--evaluation"},
    {"evaluation.sequences", "--evaluation-sequences"},
    {"evaluation.sequence_length", "--evaluation-length"},
    {"quality_gate.max_perplexity_ratio", "--max-perplexity-ratio"},
    {"quality_gate.max_kl", "--max-kl"},
    {"target_tensor_parallel", "--tensor-parallel"},
    {"strict", "--strict"},
};

bool Covers(absl::string_view field, absl::string_view path) {
  return absl::StartsWith(path, field) &&
         (path.size() == field.size() || path[field.size()] == '.' || path[field.size()] == '[');
}

}  // namespace

std::string FlagOfField(absl::string_view field_path) {
  for (const FieldFlag& entry : kFlags) {
    if (Covers(entry.field, field_path)) return std::string(entry.flag);
  }
  return "";
}

std::string NameForUsers(absl::string_view field_path) {
  const std::string flag = FlagOfField(field_path);
  return flag.empty() ? std::string(field_path) : absl::StrCat(flag, " (", field_path, ")");
}

}  // namespace heroq
