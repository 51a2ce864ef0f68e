#include "worker/agent/tensor_blobs.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"

namespace heroq {
namespace {

constexpr char kHidden[] = "hidden";
constexpr char kSecondMoment[] = "second_moment";
constexpr char kTokenCount[] = "token_count";
constexpr char kInputIds[] = "input_ids";
constexpr char kActivations[] = "activations";
constexpr char kOutputEnergy[] = "output_energy.";

absl::Status Corrupt(const std::string& blob, absl::string_view tensor, absl::string_view rule) {
  return MakeError(Reason::kFileCorrupt, absl::StrCat(blob, ": tensor ", tensor, ": ", rule));
}

NamedBytes BytesOf(const std::string& name, DType dtype, const at::Tensor& tensor) {
  return {{name, dtype, tensor.sizes().vec()},
          {static_cast<const char*>(tensor.const_data_ptr()), static_cast<size_t>(tensor.nbytes())}};
}

absl::StatusOr<NamedBytes> FindTensor(const ParsedSafetensors& parsed, const std::string& blob,
                                      const std::string& name, size_t rank) {
  const auto found = parsed.tensors.find(name);
  if (found == parsed.tensors.end()) return Corrupt(blob, name, "is missing");
  if (found->second.spec.shape.size() != rank) {
    return Corrupt(blob, name,
                   absl::StrCat("has shape [", absl::StrJoin(found->second.spec.shape, ", "),
                                "], expected rank ", rank));
  }
  return found->second;
}

// A tensor over bytes inside `owner`, which lives as long as the tensor.
at::Tensor View(const NamedBytes& part, c10::ScalarType dtype, const std::shared_ptr<std::string>& owner) {
  return at::from_blob(
      const_cast<char*>(part.bytes.data()), part.spec.shape, [owner](void*) {}, dtype);
}

absl::StatusOr<c10::ScalarType> ComputedType(const NamedBytes& part, const std::string& blob,
                                             absl::string_view tensor) {
  if (part.spec.dtype == DType::kBf16) return at::kBFloat16;
  if (part.spec.dtype == DType::kF32) return at::kFloat;
  return Corrupt(blob, tensor,
                 absl::StrCat("has type ", ToString(part.spec.dtype), ", expected BF16 or F32"));
}

absl::StatusOr<Digest> Put(const std::vector<NamedBytes>& tensors, BlobStore& blobs) {
  HEROQ_ASSIGN_OR_RETURN(const SafetensorsPieces pieces, ArrangeSafetensors(tensors));
  return blobs.Put(pieces.InOrder(), Durability::kVolatile);
}

}  // namespace

absl::StatusOr<Digest> PutHiddenStates(const at::Tensor& hidden, BlobStore& blobs) {
  return CatchTorch("store hidden states", [&] {
    const at::Tensor whole = hidden.to(at::kCPU).contiguous();
    const DType dtype = whole.scalar_type() == at::kBFloat16 ? DType::kBf16 : DType::kF32;
    return Put({BytesOf(kHidden, dtype, whole)}, blobs);
  });
}

absl::StatusOr<at::Tensor> ParseHiddenStates(std::string bytes, const std::string& name) {
  const auto owner = std::make_shared<std::string>(std::move(bytes));
  HEROQ_ASSIGN_OR_RETURN(const ParsedSafetensors parsed, ParseSafetensors(*owner, name));
  HEROQ_ASSIGN_OR_RETURN(const NamedBytes hidden, FindTensor(parsed, name, kHidden, 3));
  HEROQ_ASSIGN_OR_RETURN(const c10::ScalarType dtype, ComputedType(hidden, name, kHidden));
  return CatchTorch("parse hidden states", [&] { return View(hidden, dtype, owner); });
}

absl::StatusOr<Digest> PutStatistics(const PackedStatistics& statistics, BlobStore& blobs) {
  const int64_t& count = statistics.token_count;
  const NamedBytes token_count = {{kTokenCount, DType::kI64, {1}},
                                  {reinterpret_cast<const char*>(&count), sizeof(count)}};
  std::vector<NamedBytes> tensors = {BytesOf(kSecondMoment, DType::kF32, statistics.upper), token_count};
  for (const auto& [role, energy] : statistics.output_energies) {
    tensors.push_back({{absl::StrCat(kOutputEnergy, ToString(role)), DType::kF64, {1}},
                       {reinterpret_cast<const char*>(&energy), sizeof(energy)}});
  }
  return CatchTorch("store statistics", [&] {
    at::Tensor kept = statistics.activations;
    if (kept.defined()) {
      kept = kept.to(at::kCPU).contiguous();
      tensors.push_back(
          BytesOf(kActivations, kept.scalar_type() == at::kBFloat16 ? DType::kBf16 : DType::kF32, kept));
    }
    return Put(tensors, blobs);
  });
}

absl::StatusOr<PackedStatistics> ParseStatistics(std::string bytes, const std::string& name) {
  const auto owner = std::make_shared<std::string>(std::move(bytes));
  HEROQ_ASSIGN_OR_RETURN(const ParsedSafetensors parsed, ParseSafetensors(*owner, name));
  HEROQ_ASSIGN_OR_RETURN(const NamedBytes upper, FindTensor(parsed, name, kSecondMoment, 1));
  HEROQ_ASSIGN_OR_RETURN(const NamedBytes count, FindTensor(parsed, name, kTokenCount, 1));
  if (upper.spec.dtype != DType::kF32) return Corrupt(name, kSecondMoment, "must be F32");
  if (count.spec.dtype != DType::kI64 || count.spec.shape[0] != 1) {
    return Corrupt(name, kTokenCount, "must be one I64");
  }
  return CatchTorch("parse statistics", [&]() -> absl::StatusOr<PackedStatistics> {
    PackedStatistics statistics{View(upper, at::kFloat, owner), 0};
    if (parsed.tensors.count(kActivations) > 0) {
      HEROQ_ASSIGN_OR_RETURN(const NamedBytes kept, FindTensor(parsed, name, kActivations, 2));
      HEROQ_ASSIGN_OR_RETURN(const c10::ScalarType type, ComputedType(kept, name, kActivations));
      statistics.activations = View(kept, type, owner);
    }
    std::memcpy(&statistics.token_count, count.bytes.data(), sizeof(statistics.token_count));
    for (const auto& [tensor, part] : parsed.tensors) {
      absl::string_view text = tensor;
      if (!absl::ConsumePrefix(&text, kOutputEnergy)) continue;
      const std::optional<LinearRole> role = ParseLinearRole(text);
      if (!role.has_value()) return Corrupt(name, tensor, "names no linear of a block");
      if (part.spec.dtype != DType::kF64 || part.spec.shape != std::vector<int64_t>{1}) {
        return Corrupt(name, tensor, "must be one F64");
      }
      std::memcpy(&statistics.output_energies[*role], part.bytes.data(), sizeof(double));
    }
    return statistics;
  });
}

absl::StatusOr<at::Tensor> ParseTokens(absl::string_view bytes, int64_t vocabulary, const std::string& name) {
  HEROQ_ASSIGN_OR_RETURN(const ParsedSafetensors parsed, ParseSafetensors(bytes, name));
  HEROQ_ASSIGN_OR_RETURN(const NamedBytes ids, FindTensor(parsed, name, kInputIds, 2));
  if (ids.spec.dtype != DType::kI32) return Corrupt(name, kInputIds, "must be I32");
  return CatchTorch("parse tokens", [&]() -> absl::StatusOr<at::Tensor> {
    const at::Tensor tokens = at::empty(ids.spec.shape, at::kLong);
    int64_t* out = tokens.mutable_data_ptr<int64_t>();
    for (int64_t i = 0; i < tokens.numel(); ++i) {
      int32_t id = 0;
      std::memcpy(&id, ids.bytes.data() + i * static_cast<int64_t>(sizeof(id)), sizeof(id));
      if (id < 0 || id >= vocabulary) {
        return Corrupt(name, kInputIds,
                       absl::StrCat("value ", i, " is ", id, ", expected 0 to ", vocabulary - 1));
      }
      out[i] = id;
    }
    return tokens;
  });
}

}  // namespace heroq
