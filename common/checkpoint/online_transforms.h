#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/quantization_fields.h"

namespace heroq {

// A loader multiplies what a linear reads by R [size, size], the same for every block of `size` channels,
// before the linear: x -> x (I (x) R). One tensor of the checkpoint holds sqrt(size) R for all linears of
// `group`.
struct OnlineRotation {
  std::string group;
  int64_t size = 0;

  friend bool operator==(const OnlineRotation&, const OnlineRotation&) = default;
};

// Bounds of what is read; heroq writes one group per distinct linear input of a block.
inline constexpr size_t kMaxTransformGroups = 10'000;
inline constexpr int kMaxRotationSize = 1024;

// The transforms of a compressed-tensors checkpoint (`transform_config`) that are left to do at run time.
// Understands what is in the input of linears with a stored matrix: type "random-hadamard", location "input",
// not inverse, a block size ("head_dim"). Entries at "weight_input" and "weight_output" say what is in the
// weights already and are passed over. Anything else is UNSUPPORTED, naming the field. Immutable,
// thread-safe.
class OnlineTransforms {
 public:
  // None.
  OnlineTransforms() = default;
  // `config` is the member transform_config, null when absent.
  static absl::StatusOr<OnlineTransforms> Parse(const nlohmann::json& config,
                                                const QuantizationFields& fields);

  bool empty() const { return targets_.empty(); }
  // What the input of linear `name` is rotated by; UNSUPPORTED when several groups cover it.
  absl::StatusOr<std::optional<OnlineRotation>> RotationOf(const std::string& name) const;

 private:
  struct Target {
    OnlineRotation rotation;
    std::vector<NamePattern> modules;
    std::vector<NamePattern> ignored;
  };

  absl::Status AddGroup(const std::string& name, const nlohmann::json& group,
                        const QuantizationFields& fields);

  std::string path_;
  std::vector<Target> targets_;
};

// "<linear>.<group>_input.weight": where the matrix of `group` is stored.
std::string OnlineTensorName(const std::string& linear, const std::string& group);

// The tensor of every group of a checkpoint: the first in name order that could be one, since compressed-
// tensors stores what modules share once.
std::map<std::string, std::string> OnlineTensorsByGroup(const CheckpointReader& tensors);

}  // namespace heroq
