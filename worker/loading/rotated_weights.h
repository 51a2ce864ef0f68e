#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "worker/loading/weight_source.h"
#include "worker/transform/residual_rotation.h"

namespace heroq {

// The same function as `source`, with its residual stream rotated by R (numerics: transform `fused`): the
// embedding and what reads the stream become E R and (W diag(g)) R, what writes to it R^T W and b R, every
// norm gain g becomes ones, and the head is its own tensor, since embedding and head differ now. Rotated in
// float32 (in float64 when that is asked for) from the stored values, rounded once to the type asked for.
class RotatedWeights : public WeightSource {
 public:
  // `source` outlives this.
  RotatedWeights(const WeightSource& source, ResidualRotation rotation);

  const ModelLayout& layout() const override { return layout_; }
  c10::Device device() const override { return source_.device(); }
  absl::StatusOr<at::Tensor> Load(const std::string& name, c10::ScalarType dtype) const override;
  absl::StatusOr<at::Tensor> LoadRows(const std::string& name, const at::Tensor& rows,
                                      c10::ScalarType dtype) const override;
  void WillLoad(const std::string& name) const override;

 private:
  enum class Change { kGain, kReader, kWriter, kWriterBias };
  struct Rule {
    Change change = Change::kReader;
    std::string gain;    // kReader: the norm whose output it reads; empty for the embedding
    std::string source;  // where the values come from
    int64_t rows = 0;    // kReader: of the matrix
  };

  absl::StatusOr<at::Tensor> LoadReader(const Rule& rule, c10::ScalarType dtype) const;

  const WeightSource& source_;
  const ResidualRotation rotation_;
  const ModelLayout layout_;
  std::unordered_map<std::string, Rule> rules_;  // tensors that change, by name
};

}  // namespace heroq
