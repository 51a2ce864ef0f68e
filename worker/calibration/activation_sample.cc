#include "worker/calibration/activation_sample.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "worker/transform/random_stream.h"

namespace heroq {
namespace {

// The purpose of a RandomStream.
constexpr uint64_t kPlaces = 6;

}  // namespace

ActivationSample::ActivationSample(int64_t kept, int64_t total)
    : kept_(std::min(kept, total)), total_(total) {}

int64_t ActivationSample::Position(int64_t index) const {
  const int64_t begin = index * total_ / kept_;
  const int64_t size = (index + 1) * total_ / kept_ - begin;
  const RandomStream stream(0, kPlaces);
  return begin +
         static_cast<int64_t>(stream.Bits(static_cast<uint64_t>(index)) % static_cast<uint64_t>(size));
}

void ActivationSample::Add(const at::Tensor& rows) {
  std::vector<int64_t> chosen;
  for (; next_ < kept_ && Position(next_) < seen_ + rows.size(0); ++next_) {
    chosen.push_back(Position(next_) - seen_);
  }
  seen_ += rows.size(0);
  if (chosen.empty()) return;
  parts_.push_back(at::index_select(rows, 0, at::tensor(chosen, at::kLong).to(rows.device())).to(at::kCPU));
}

at::Tensor ActivationSample::Rows() const { return parts_.empty() ? at::Tensor() : at::cat(parts_, 0); }

}  // namespace heroq
