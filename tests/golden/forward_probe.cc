// Runs the worker's forward pass for a Python oracle:
//
//   heroq-forward-probe MODEL_DIR IDS OUT TYPE
//
// IDS is safetensors with "input_ids" int32 [sequences, length]; TYPE is f32 or bf16. OUT receives "logits"
// float32 [sequences, length, vocabulary], "hidden" float32 [sequences, length, hidden] after the last block
// and, per block and distinct input, "moment.<block>.<input>" float32 [in, in].

#include <ATen/core/Tensor.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/status/status_macros.h"
#include "worker/agent/tensor_blobs.h"
#include "worker/calibration/packed_statistics.h"
#include "worker/calibration/second_moment.h"
#include "worker/device/thread_settings.h"
#include "worker/loading/block_loader.h"
#include "worker/loading/checkpoint_weights.h"

namespace heroq {
namespace {

class MomentTap final : public ActivationTap {
 public:
  absl::Status Observe(LinearInput input, const at::Tensor& rows) override {
    moments_[input].Add(rows);
    return absl::OkStatus();
  }
  void ObserveOutput(LinearInput /*input*/, LinearRole /*role*/, const at::Tensor& /*values*/) override {}
  std::map<LinearInput, SecondMoment>& moments() { return moments_; }

 private:
  std::map<LinearInput, SecondMoment> moments_;
};

class Output {
 public:
  void Add(const std::string& name, const at::Tensor& tensor) {
    const at::Tensor wide = tensor.to(at::kFloat).contiguous();
    tensors_.push_back(wide);
    parts_.push_back({{name, DType::kF32, wide.sizes().vec()},
                      {static_cast<const char*>(wide.const_data_ptr()), static_cast<size_t>(wide.nbytes())}});
  }
  absl::Status Write(const std::string& path) const {
    HEROQ_ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(parts_));
    HEROQ_ASSIGN_OR_RETURN(const auto file, FileSystem::Posix().Create(path));
    HEROQ_RETURN_IF_ERROR(file->Append(bytes));
    return file->Close();
  }

 private:
  std::vector<at::Tensor> tensors_;
  std::vector<NamedBytes> parts_;
};

absl::Status Run(const std::string& model, const std::string& ids_path, const std::string& out, bool bf16) {
  const c10::ScalarType dtype = bf16 ? at::kBFloat16 : at::kFloat;
  SetTaskThreads(1);
  HEROQ_ASSIGN_OR_RETURN(const auto source,
                         CheckpointWeights::Open(FileSystem::Posix(), model, c10::Device(c10::kCPU)));
  HEROQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(FileSystem::Posix(), ids_path));
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor ids, ParseTokens(bytes, source->layout().vocab_size, ids_path));
  HEROQ_ASSIGN_OR_RETURN(at::Tensor hidden, Embed(*source, ids, dtype));
  const RotaryTable rotary(source->layout(), ids.size(1), dtype, c10::Device(c10::kCPU));
  Output output;
  for (int64_t block = 0; block < source->layout().block_count; ++block) {
    HEROQ_ASSIGN_OR_RETURN(const DecoderBlock weights, LoadBlock(*source, block, dtype));
    MomentTap tap;
    HEROQ_ASSIGN_OR_RETURN(hidden, weights.Forward(hidden, rotary, &tap));
    for (auto& [input, moment] : tap.moments()) {
      HEROQ_ASSIGN_OR_RETURN(const LayerStatistics full, Unpack(moment.TakePacked()));
      output.Add(absl::StrCat("moment.", block, ".", std::string(ToString(input))), full.second_moment);
    }
  }
  output.Add("hidden", hidden);
  HEROQ_ASSIGN_OR_RETURN(const OutputHead head, LoadOutputHead(*source, dtype));
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor logits, head.Logits(hidden.flatten(0, 1)));
  output.Add("logits", logits.view({ids.size(0), ids.size(1), -1}));
  return output.Write(out);
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: heroq-forward-probe MODEL_DIR IDS OUT f32|bf16\n");
    return 2;
  }
  const absl::Status status = heroq::Run(argv[1], argv[2], argv[3], std::string(argv[4]) == "bf16");
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
