// Lets Python tests quantize activations:
//   activation_probe BITS|nvfp4 f32|bf16 IN OUT
// IN is safetensors with "x" float32 [rows, features]; OUT gets "q" float32 of the same shape, computed in
// the given type.
#include <ATen/ops/from_blob.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "common/checkpoint/safetensors_writer.h"
#include "common/file/file_system.h"
#include "common/status/status_macros.h"
#include "worker/forward/activation_quantizer.h"

namespace heroq {
namespace {

absl::Status Run(const std::string& format, c10::ScalarType type, const std::string& in,
                 const std::string& out) {
  HEROQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(FileSystem::Posix(), in));
  HEROQ_ASSIGN_OR_RETURN(const ParsedSafetensors parsed, ParseSafetensors(bytes, in));
  const NamedBytes& x = parsed.tensors.at("x");
  const at::Tensor rows =
      at::from_blob(const_cast<char*>(x.bytes.data()), x.spec.shape, at::kFloat).clone().to(type);
  const at::Tensor quantized = (format == "nvfp4" ? QuantizeActivationsNvfp4(rows)
                                                  : QuantizeActivations(rows, std::atoi(format.c_str())))
                                   .to(at::kFloat)
                                   .contiguous();
  HEROQ_ASSIGN_OR_RETURN(
      const std::string result,
      SerializeSafetensors({{{"q", DType::kF32, x.spec.shape},
                             {static_cast<const char*>(quantized.const_data_ptr()), quantized.nbytes()}}}));
  return WriteFileAtomically(FileSystem::Posix(), out, result);
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const absl::Status status =
      heroq::Run(argv[1], std::string(argv[2]) == "bf16" ? at::kBFloat16 : at::kFloat, argv[3], argv[4]);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
