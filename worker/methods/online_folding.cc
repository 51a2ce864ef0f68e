#include "worker/methods/online_folding.h"

#include <ATen/ops/eye.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/online_rotation.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/methods/unit_folding.h"
#include "worker/transform/hadamard.h"

namespace heroq {
namespace {

// The purposes of RandomStreams.
constexpr uint64_t kOnlineSigns = 3;
constexpr uint64_t kOnlineRotation = 4;

}  // namespace

InputTransform StartOnline(OnlineStart start, LinearInput input, int64_t width, const HeadGeometry& geometry,
                           uint64_t seed) {
  const auto place = static_cast<uint64_t>(input);
  const bool heads = input == LinearInput::kAttentionOut;
  const int64_t group = heads ? geometry.heads / geometry.value_heads : 1;
  const int64_t shared = heads ? geometry.value_heads : 1;
  InputTransform transform;
  transform.scale = RandomSigns(RandomStream(seed, kOnlineSigns, place), width / group, at::kFloat)
                        .view({shared, 1, -1})
                        .expand({shared, group, width / group / shared})
                        .reshape({width});
  const int64_t size = OnlineRotationSize(width);
  transform.rotation = start == OnlineStart::kRandom
                           ? RandomOrthogonal(RandomStream(seed, kOnlineRotation, place), size).to(at::kFloat)
                           : HadamardMatrix(size, at::kFloat);
  transform.rotation = transform.rotation.unsqueeze(0);
  transform.rotation_of_block.assign(static_cast<size_t>(width / size), 0);
  return transform;
}

absl::Status FoldOnline(LinearInput input, InputTransform transform, UnitWork& work) {
  if (transform.rotation.dim() != 3 || transform.rotation.size(0) != 1) {
    return MakeError(Reason::kInternal, absl::StrCat("transform of ", ToString(input),
                                                     ": loaders apply one rotation to all blocks"));
  }
  InputTransform rotation;
  std::swap(rotation.rotation, transform.rotation);
  std::swap(rotation.rotation_of_block, transform.rotation_of_block);
  HEROQ_RETURN_IF_ERROR(FoldTransform(input, std::move(transform), work));
  TransformReaders(input, rotation, work);
  work.rotations[input] = rotation.rotation[0];
  return absl::OkStatus();
}

void KeepOnline(LinearInput input, int64_t size, UnitWork& work) { work.rotations[input] = at::eye(size); }

}  // namespace heroq
