#include "worker/quantizer/gptq.h"

#include <algorithm>

#include "common/status/status_macros.h"
#include "worker/quantizer/aligned_buffer.h"
#include "worker/quantizer/strips.h"

namespace heroq {
namespace {

// Blocking of the left-looking product: the errors of kDepth inputs of kStrips strips (384 KiB) stay in the
// second-level cache while the tiles of a panel pass over them.
constexpr int64_t kPanel = 64;
constexpr int64_t kDepth = 256;
constexpr int64_t kStrips = 8;

// Solves up to kStrips strips of rows at a time.
class StripBlockSolver {
 public:
  StripBlockSolver(const Kernels& kernels, const ScaleGrid& grid, const HessianFactor& factor)
      : kernels_(kernels),
        grid_(grid),
        factor_(factor),
        columns_(grid.columns),
        groups_(grid.groups()),
        length_(grid.scheme.group_length(grid.columns)),
        weights_(kStrips * columns_ * kStripRows),
        targets_(kStrips * kPanel * kStripRows),
        codes_(kStrips * columns_ * kStripRows),
        grids_(kStrips * groups_ * 3 * kStripRows),
        losses_(kStrips * kStripRows),
        errors_(kStrips * kStripRows) {}

  absl::Status Solve(const float* weight, int64_t first_row, const Cancellation& cancellation,
                     GptqSolution* solution) {
    const int64_t strips = std::min(kStrips, StripCount(grid_.rows - first_row));
    for (int64_t strip = 0; strip < strips; ++strip) Load(weight, first_row + strip * kStripRows, strip);
    for (int64_t begin = 0; begin < columns_; begin += kPanel) {
      HEROQ_RETURN_IF_ERROR(cancellation.Check());
      const int64_t end = std::min(columns_, begin + kPanel);
      AddEarlierPanels(strips, begin, end);
      for (int64_t strip = 0; strip < strips; ++strip) QuantizePanel(strip, begin, end);
    }
    for (int64_t strip = 0; strip < strips; ++strip) Store(first_row + strip * kStripRows, strip, solution);
    return absl::OkStatus();
  }

 private:
  // Errors of the inputs handled so far, weights of the others: [columns][48].
  float* Weights(int64_t strip) { return weights_.data() + strip * columns_ * kStripRows; }
  // Targets of the current panel: [kPanel][48].
  float* Targets(int64_t strip) { return targets_.data() + strip * kPanel * kStripRows; }
  // Scale, inverse and zero point of a group: [3][48].
  float* Grid(int64_t strip, int64_t group) {
    return grids_.data() + (strip * groups_ + group) * 3 * kStripRows;
  }
  uint8_t* Codes(int64_t strip) { return codes_.data() + strip * columns_ * kStripRows; }

  void Load(const float* weight, int64_t first_row, int64_t strip) {
    PackStrip(weight, grid_.rows, columns_, first_row, factor_.order.data(), Weights(strip));
    for (int64_t group = 0; group < groups_; ++group) {
      float* target = Grid(strip, group);
      for (int64_t lane = 0; lane < kStripRows; ++lane) {
        // Lanes past the last row repeat it: any finite grid will do.
        const int64_t at = std::min(first_row + lane, grid_.rows - 1) * groups_ + group;
        target[lane] = grid_.scales[at];
        target[kStripRows + lane] = 1.0f / grid_.scales[at];
        target[2 * kStripRows + lane] = static_cast<float>(grid_.zeros[at]);
      }
    }
    std::fill_n(losses_.data() + strip * kStripRows, kStripRows, 0.0f);
    std::fill_n(errors_.data() + strip * kStripRows, kStripRows, 0.0f);
  }

  void AddEarlierPanels(int64_t strips, int64_t begin, int64_t end) {
    for (int64_t strip = 0; strip < strips; ++strip) {
      std::copy_n(Weights(strip) + begin * kStripRows, (end - begin) * kStripRows, Targets(strip));
    }
    for (int64_t k = 0; k < begin; k += kDepth) {
      const int64_t depth = std::min(kDepth, begin - k);
      for (int64_t column = begin; column < end; column += kTileColumns) {
        const float* feedback =
            factor_.feedback.data() + FeedbackOffset(column / kTileColumns) + k * kTileColumns;
        for (int64_t strip = 0; strip < strips; ++strip) {
          kernels_.multiply_tile_f32(depth, feedback, Weights(strip) + k * kStripRows,
                                     Targets(strip) + (column - begin) * kStripRows, kStripRows);
        }
      }
    }
  }

  void QuantizePanel(int64_t strip, int64_t begin, int64_t end) {
    const float* scale[kTileColumns];
    const float* inverse[kTileColumns];
    const float* zero[kTileColumns];
    QuantizeTileArguments arguments{};
    arguments.scale = scale;
    arguments.inverse = inverse;
    arguments.zero = zero;
    arguments.max_code = static_cast<float>(grid_.scheme.max_code());
    arguments.loss = losses_.data() + strip * kStripRows;
    arguments.error = errors_.data() + strip * kStripRows;
    for (int64_t column = begin; column < end; column += kTileColumns) {
      const float* feedback = factor_.feedback.data() + FeedbackOffset(column / kTileColumns);
      arguments.columns = std::min(kTileColumns, end - column);
      arguments.weight = Weights(strip) + column * kStripRows;
      arguments.target = Targets(strip) + (column - begin) * kStripRows;
      arguments.feedback = feedback + column * kTileColumns;
      arguments.pivot = factor_.pivots.data() + column;
      arguments.codes = Codes(strip) + column * kStripRows;
      for (int64_t j = 0; j < arguments.columns; ++j) {
        const float* grid = Grid(strip, factor_.order[column + j] / length_);
        scale[j] = grid;
        inverse[j] = grid + kStripRows;
        zero[j] = grid + 2 * kStripRows;
      }
      kernels_.multiply_tile_f32(column - begin, feedback + begin * kTileColumns,
                                 Weights(strip) + begin * kStripRows, arguments.target, kStripRows);
      kernels_.quantize_tile(arguments);
    }
  }

  void Store(int64_t first_row, int64_t strip, GptqSolution* solution) {
    UnpackCodes(Codes(strip), grid_.rows, columns_, first_row, factor_.order.data(), solution->codes.data());
    for (int64_t lane = 0; lane < std::min(kStripRows, grid_.rows - first_row); ++lane) {
      const double error = errors_[strip * kStripRows + lane];
      solution->loss[first_row + lane] = losses_[strip * kStripRows + lane] - factor_.damping.shift * error;
    }
  }

  const Kernels& kernels_;
  const ScaleGrid& grid_;
  const HessianFactor& factor_;
  const int64_t columns_;
  const int64_t groups_;
  const int64_t length_;
  AlignedBuffer<float> weights_;
  AlignedBuffer<float> targets_;
  AlignedBuffer<uint8_t> codes_;
  AlignedBuffer<float> grids_;
  AlignedBuffer<float> losses_;
  AlignedBuffer<float> errors_;
};

}  // namespace

absl::StatusOr<GptqSolution> SolveGptq(const Kernels& kernels, absl::Span<const float> weight,
                                       const ScaleGrid& grid, const HessianFactor& factor,
                                       const Cancellation& cancellation) {
  GptqSolution solution;
  solution.codes.resize(grid.rows * grid.columns);
  solution.loss.resize(grid.rows);
  StripBlockSolver solver(kernels, grid, factor);
  for (int64_t row = 0; row < grid.rows; row += kStrips * kStripRows) {
    HEROQ_RETURN_IF_ERROR(solver.Solve(weight.data(), row, cancellation, &solution));
  }
  return solution;
}

}  // namespace heroq
