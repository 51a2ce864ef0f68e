#include "worker/loading/rotated_weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"

namespace heroq {
namespace {

// Rows that are in the wider type at once, so that a head of a large vocabulary is not.
constexpr int64_t kRowsAtOnce = 8192;

c10::ScalarType Wide(c10::ScalarType dtype) { return dtype == at::kDouble ? at::kDouble : at::kFloat; }

}  // namespace

RotatedWeights::RotatedWeights(const WeightSource& source, ResidualRotation rotation)
    : source_(source), rotation_(std::move(rotation)), layout_(source.layout().Untied()) {
  rules_[layout_.embedding_name] = {Change::kReader, "", layout_.embedding_name, layout_.vocab_size};
  rules_[layout_.final_norm_name] = {Change::kGain, "", ""};
  rules_[layout_.head_name] = {Change::kReader, layout_.final_norm_name, source.layout().head_name,
                               layout_.vocab_size};
  for (const BlockLayout& block : layout_.blocks) {
    for (const TensorLayout& norm : block.norms) rules_[norm.name] = {Change::kGain, "", ""};
    for (const LinearLayout& linear : block.linears) {
      const std::string weight = absl::StrCat(linear.name, ".weight");
      const std::string bias = absl::StrCat(linear.name, ".bias");
      if (linear.input == LinearInput::kAttentionIn || linear.input == LinearInput::kMlpIn) {
        rules_[weight] = {Change::kReader, block.NormOf(linear.unit).name, weight, linear.out_features};
      } else {
        rules_[weight] = {Change::kWriter, "", weight};
        if (linear.has_bias) rules_[bias] = {Change::kWriterBias, "", bias};
      }
    }
  }
}

absl::StatusOr<at::Tensor> RotatedWeights::Load(const std::string& name, c10::ScalarType dtype) const {
  const auto found = rules_.find(name);
  if (found == rules_.end()) return source_.Load(name, dtype);
  const Rule& rule = found->second;
  if (rule.change == Change::kReader) return LoadReader(rule, dtype);
  if (rule.change == Change::kGain) {
    return CatchTorch(absl::StrCat("gain ", name), [&] {
      return at::ones({layout_.hidden_size}, at::TensorOptions(dtype).device(device()));
    });
  }
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor values, source_.Load(rule.source, Wide(dtype)));
  return CatchTorch(absl::StrCat("rotate ", name), [&] {
    const bool bias = rule.change == Change::kWriterBias;
    return (bias ? rotation_.Apply(values) : rotation_.ApplyToRows(values)).to(dtype);
  });
}

void RotatedWeights::WillLoad(const std::string& name) const {
  const auto found = rules_.find(name);
  if (found == rules_.end()) return source_.WillLoad(name);
  if (found->second.change != Change::kGain) source_.WillLoad(found->second.source);
}

absl::StatusOr<at::Tensor> RotatedWeights::LoadReader(const Rule& rule, c10::ScalarType dtype) const {
  at::Tensor gain;
  if (!rule.gain.empty()) {
    HEROQ_ASSIGN_OR_RETURN(gain, source_.Load(rule.gain, Wide(dtype)));
  }
  return CatchTorch(absl::StrCat("rotate ", rule.source), [&]() -> absl::StatusOr<at::Tensor> {
    at::Tensor rotated =
        at::empty({rule.rows, layout_.hidden_size}, at::TensorOptions(dtype).device(device()));
    for (int64_t row = 0; row < rule.rows; row += kRowsAtOnce) {
      const int64_t end = std::min(row + kRowsAtOnce, rule.rows);
      HEROQ_ASSIGN_OR_RETURN(at::Tensor part,
                             source_.LoadRows(rule.source, at::arange(row, end, at::kLong), Wide(dtype)));
      if (gain.defined()) part = part * gain;
      rotated.narrow(0, row, end - row).copy_(rotation_.Apply(part));
    }
    return rotated;
  });
}

absl::StatusOr<at::Tensor> RotatedWeights::LoadRows(const std::string& name, const at::Tensor& rows,
                                                    c10::ScalarType dtype) const {
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor values, source_.LoadRows(name, rows, Wide(dtype)));
  if (name != layout_.embedding_name) return values.to(dtype);
  return CatchTorch(absl::StrCat("rotate rows of ", name), [&] { return rotation_.Apply(values).to(dtype); });
}

}  // namespace heroq
