#include "common/model/online_rotation.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int64_t kLargestSize = 128;

absl::Status Unsupported(const CheckpointReader& tensors, const std::string& linear, absl::string_view rule) {
  return MakeError(Reason::kUnsupported,
                   absl::StrCat(tensors.directory(), ": the online transform of ", linear, " ", rule));
}

}  // namespace

absl::StatusOr<std::vector<RotatedInput>> FindRotatedInputs(const ModelLayout& layout,
                                                            const OnlineTransforms& transforms,
                                                            const CheckpointReader& tensors) {
  std::vector<RotatedInput> rotated;
  if (transforms.empty()) return rotated;
  const std::string head(absl::StripSuffix(layout.own_head_name, ".weight"));
  HEROQ_ASSIGN_OR_RETURN(const std::optional<OnlineRotation> of_head, transforms.RotationOf(head));
  if (of_head.has_value()) return Unsupported(tensors, head, "is one that heroq does not compute");
  const std::map<std::string, std::string> stored = OnlineTensorsByGroup(tensors);
  for (size_t block = 0; block < layout.blocks.size(); ++block) {
    std::map<LinearInput, std::optional<OnlineRotation>> of_input;
    for (const LinearLayout& linear : layout.blocks[block].linears) {
      HEROQ_ASSIGN_OR_RETURN(const std::optional<OnlineRotation> rotation,
                             transforms.RotationOf(linear.name));
      const auto [shared, first] = of_input.emplace(linear.input, rotation);
      if (!first && shared->second != rotation) {
        return Unsupported(tensors, linear.name, "is not that of the other linears that read its input");
      }
      if (!first || !rotation.has_value()) continue;
      if (linear.in_features % rotation->size != 0) {
        return Unsupported(tensors, linear.name,
                           absl::StrCat("has blocks of ", rotation->size, ", which do not divide ",
                                        linear.in_features, " inputs"));
      }
      const auto tensor = stored.find(rotation->group);
      rotated.push_back(
          {block, linear.input,
           tensor != stored.end() ? tensor->second : OnlineTensorName(linear.name, rotation->group),
           rotation->size});
    }
  }
  return rotated;
}

int64_t OnlineRotationSize(int64_t in_features) {
  int64_t size = 1;
  while (size < kLargestSize && in_features % (size * 2) == 0) size *= 2;
  return size;
}

std::string OnlineGroup(absl::string_view block, LinearInput input) {
  return absl::StrCat("rotation_", block, "_", ToString(input));
}

std::string OnlineTensor(const BlockLayout& block, LinearInput input) {
  const auto reader = std::find_if(block.linears.begin(), block.linears.end(),
                                   [&](const LinearLayout& linear) { return linear.input == input; });
  if (reader == block.linears.end()) return "";
  // "model.layers.12." -> "12"
  absl::string_view number = absl::StripSuffix(block.prefix, ".");
  number.remove_prefix(number.rfind('.') + 1);
  return OnlineTensorName(reader->name, OnlineGroup(number, input));
}

bool IsOnlineTensor(const BlockLayout& block, const std::string& name) {
  return std::any_of(block.linears.begin(), block.linears.end(),
                     [&](const LinearLayout& linear) { return OnlineTensor(block, linear.input) == name; });
}

}  // namespace heroq
