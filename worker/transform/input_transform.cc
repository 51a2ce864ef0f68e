#include "worker/transform/input_transform.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

namespace heroq {
namespace {

// values [..., in] times the block-diagonal matrix of `rotation` [count, b, b].
at::Tensor MultiplyBlocks(const at::Tensor& values, const at::Tensor& rotation,
                          const std::vector<int64_t>& rotation_of_block) {
  const int64_t size = rotation.size(-1);
  const auto blocks = static_cast<int64_t>(rotation_of_block.size());
  const at::Tensor chosen =
      at::index_select(rotation, 0, at::tensor(rotation_of_block, at::kLong).to(rotation.device()))
          .to(values.device(), values.scalar_type());
  const at::Tensor by_block = values.reshape({-1, blocks, size}).transpose(0, 1);
  return at::bmm(by_block, chosen).transpose(0, 1).reshape(values.sizes());
}

at::Tensor ScaleOf(const InputTransform& transform, const at::Tensor& like) {
  return transform.scale.to(like.device(), like.scalar_type());
}

}  // namespace

at::Tensor Rotate(const at::Tensor& values, const InputTransform& transform) {
  if (!transform.rotation.defined()) return values;
  return MultiplyBlocks(values, transform.rotation, transform.rotation_of_block);
}

at::Tensor TransformWeight(const at::Tensor& weight, const InputTransform& transform) {
  return Rotate(transform.scale.defined() ? weight * ScaleOf(transform, weight) : weight, transform);
}

at::Tensor TransformMoments(const at::Tensor& second_moment, const InputTransform& transform) {
  if (transform.is_identity()) return second_moment;
  at::Tensor moments = second_moment;
  if (transform.scale.defined()) {
    const at::Tensor inverse = ScaleOf(transform, moments).reciprocal();
    moments = moments * inverse * inverse.unsqueeze(1);
  }
  if (transform.rotation.defined()) moments = Rotate(Rotate(moments, transform).t().contiguous(), transform);
  return (moments + moments.t()) * 0.5;
}

at::Tensor RestoreWeight(const at::Tensor& weight, const InputTransform& transform) {
  at::Tensor restored = weight;
  if (transform.rotation.defined()) {
    restored = MultiplyBlocks(restored, transform.rotation.transpose(1, 2), transform.rotation_of_block);
  }
  return transform.scale.defined() ? restored / ScaleOf(transform, restored) : restored;
}

}  // namespace heroq
