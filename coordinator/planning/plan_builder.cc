#include "coordinator/planning/plan_builder.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/model/adapter_names.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/dense_output.h"
#include "coordinator/planning/file_layout.h"
#include "coordinator/planning/quantized_tensors.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/planning/shard_split.h"

namespace heroq {
namespace {

// What becomes of one tensor of the source; never cut over files.
struct Piece {
  std::vector<TensorSpec> tensors;
  int64_t bytes = 0;
  int unit = -1;  // -1: copied
  std::string linear;
};

Piece CopiedPiece(const TensorInfo& info) {
  Piece piece;
  piece.tensors.push_back({info.name, info.dtype, info.shape});
  piece.bytes = info.size;
  return piece;
}

// A dense tensor that a unit gives.
absl::StatusOr<Piece> RewrittenPiece(int unit, const v1::RewrittenTensor& tensor) {
  Piece piece;
  HEROQ_ASSIGN_OR_RETURN(piece.tensors.emplace_back(), SpecOf(tensor));
  piece.bytes = piece.tensors.front().bytes();
  piece.unit = unit;
  return piece;
}

Piece QuantizedPiece(int unit, const v1::PlannedLinear& linear) {
  Piece piece;
  piece.tensors = QuantizedTensors(linear.name(), linear.out_features(), linear.in_features(),
                                   ToQuantScheme(linear.scheme()));
  for (const TensorSpec& tensor : piece.tensors) piece.bytes += tensor.bytes();
  piece.unit = unit;
  piece.linear = linear.name();
  return piece;
}

absl::StatusOr<std::vector<Piece>> PiecesInModelOrder(const InspectedModel& model, const ModelLayout& layout,
                                                      const std::vector<v1::PlannedUnit>& units) {
  std::map<std::string, Piece> changed;  // by the name of the source tensor's place in the layout
  for (size_t unit = 0; unit < units.size(); ++unit) {
    for (const v1::PlannedLinear& linear : units[unit].linears()) {
      if (IsDense(units[unit], linear.name())) continue;
      changed.emplace(absl::StrCat(linear.name(), ".weight"), QuantizedPiece(static_cast<int>(unit), linear));
    }
    for (const v1::RewrittenTensor& tensor : units[unit].tensors()) {
      // Has a file of its own (PlanAdapterFile).
      if (IsAdapterTensor(tensor.name())) continue;
      HEROQ_ASSIGN_OR_RETURN(Piece piece, RewrittenPiece(static_cast<int>(unit), tensor));
      changed.emplace(tensor.name(), std::move(piece));
    }
  }
  std::vector<std::string> names;
  for (TensorLayout& tensor : layout.Tensors()) names.push_back(std::move(tensor.name));
  for (std::string& name : UnusedTensors(layout, *model.tensors)) names.push_back(std::move(name));
  std::vector<Piece> pieces;
  for (const std::string& name : names) {
    const auto found = changed.find(name);
    if (found != changed.end()) {
      pieces.push_back(std::move(found->second));
      changed.erase(found);
    } else {
      HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, model.tensors->Find(name));
      pieces.push_back(CopiedPiece(entry.info));
    }
  }
  // What the architecture does not have: rotations that are left to loaders.
  for (auto& [name, piece] : changed) pieces.push_back(std::move(piece));
  return pieces;
}

}  // namespace

std::vector<v1::PlannedUnit> PlanUnits(const ModelLayout& layout, const ResolvedSchemes& schemes) {
  std::vector<v1::PlannedUnit> units;
  for (size_t block = 0; block < layout.blocks.size(); ++block) {
    for (const UnitKind kind : {UnitKind::kAttention, UnitKind::kMlp}) {
      v1::PlannedUnit unit;
      unit.set_block(static_cast<int>(block));
      unit.set_unit(std::string(ToString(kind)));
      for (size_t i = 0; i < layout.blocks[block].linears.size(); ++i) {
        const LinearLayout& linear = layout.blocks[block].linears[i];
        if (linear.unit != kind || !schemes.linears[block][i].has_value()) continue;
        v1::PlannedLinear& planned = *unit.add_linears();
        planned.set_name(linear.name);
        planned.set_out_features(linear.out_features);
        planned.set_in_features(linear.in_features);
        planned.set_input(std::string(ToString(linear.input)));
        *planned.mutable_scheme() = *schemes.linears[block][i];
      }
      if (unit.linears_size() > 0) units.push_back(std::move(unit));
    }
  }
  return units;
}

absl::StatusOr<std::vector<v1::PlannedFile>> PlanFiles(const InspectedModel& model, const ModelLayout& layout,
                                                       const std::vector<v1::PlannedUnit>& units,
                                                       int64_t max_shard_bytes) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<Piece> pieces, PiecesInModelOrder(model, layout, units));
  std::vector<int64_t> sizes;
  for (const Piece& piece : pieces) sizes.push_back(piece.bytes);
  const std::vector<ShardPieces> shards = SplitIntoShards(sizes, max_shard_bytes);

  std::vector<v1::PlannedFile> files;
  for (size_t shard = 0; shard < shards.size(); ++shard) {
    std::vector<TensorSpec> specs;
    std::map<std::string, const Piece*> piece_of;
    for (size_t i = shards[shard].begin; i < shards[shard].end; ++i) {
      for (const TensorSpec& spec : pieces[i].tensors) {
        specs.push_back(spec);
        piece_of[spec.name] = &pieces[i];
      }
    }
    const auto assign = [&](v1::PlannedTensor& tensor) {
      const Piece& piece = *piece_of.at(tensor.name());
      tensor.set_copied(piece.unit < 0);
      tensor.set_unit(piece.unit < 0 ? 0 : piece.unit);
      tensor.set_linear(piece.linear);
    };
    HEROQ_ASSIGN_OR_RETURN(files.emplace_back(),
                           LayOutFile(ShardName(shard, shards.size()), std::move(specs), assign));
  }
  return files;
}

}  // namespace heroq
