#include "common/checkpoint/linear_storage.h"

namespace heroq {

absl::string_view ToString(LinearFormat format) {
  switch (format) {
    case LinearFormat::kPackQuantized:
      return "pack-quantized";
    case LinearFormat::kIntQuantized:
      return "int-quantized";
    case LinearFormat::kGptq:
      return "gptq";
    case LinearFormat::kGptqV2:
      return "gptq_v2";
  }
  return "";
}

}  // namespace heroq
