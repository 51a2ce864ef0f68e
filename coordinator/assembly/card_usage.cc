#include "coordinator/assembly/card_usage.h"

#include "absl/strings/str_cat.h"
#include "coordinator/planning/adapter_plan.h"
#include "coordinator/planning/dense_output.h"
#include "coordinator/planning/gptq_output.h"
#include "coordinator/planning/online_rotations.h"
#include "coordinator/planning/quantization_config.h"

namespace heroq {
namespace {

constexpr char kLoad[] = R"(from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("PATH", dtype="auto")
tokenizer = AutoTokenizer.from_pretrained("PATH")
)";

constexpr char kRotate[] = R"(
# transformers ignores the rotations of linear inputs: attach them, or the model computes garbage.
import json
import pathlib

from compressed_tensors.transform import TransformConfig, apply_transform_config
from safetensors import safe_open

config = json.loads((pathlib.Path("PATH") / "config.json").read_text())["quantization_config"]["transform_config"]
apply_transform_config(model, TransformConfig.model_validate(config))
for file in pathlib.Path("PATH").glob("*.safetensors"):
    with safe_open(file, "pt") as tensors:
        for name in tensors.keys():
            if name.endswith("_input.weight"):
                model.get_parameter(name).data.copy_(tensors.get_tensor(name))
)";

constexpr char kBranches[] = R"(
The numbers above are of the checkpoint with its low-rank branches, a LoRA adapter beside it. Without them it is
another model:

```python
from peft import PeftModel

model = PeftModel.from_pretrained(model, "PATH/adapter")
```
)";

std::string Loaders(const v1::Plan& plan) {
  if (PublishesDense(plan)) return "Any loader takes it: it is an ordinary model.\n";
  if (IsGptqFormat(CheckpointFormat(plan))) {
    return "transformers needs the packages `gptqmodel` and `optimum`; `GPTQModel.load(\"PATH\")` of "
           "`gptqmodel` takes the checkpoint too.\n";
  }
  return "transformers needs the package `compressed-tensors` 0.17 or newer. `vllm serve PATH` serves the "
         "checkpoint where vLLM has a kernel for its scheme.\n";
}

}  // namespace

std::string CardUsage(const v1::Plan& plan) {
  const bool rotates = RotatesOnline(plan.method());
  return absl::StrCat(
      "## Use\n\n",
      rotates ? "Linear inputs are rotated at run time (`transform_config`). vLLM does that, on one device; "
                "**transformers ignores it without a word** and needs the second half of these lines:\n\n"
              : "",
      "```python\n", kLoad, rotates ? kRotate : "", "```\n\n", Loaders(plan),
      HasBranches(plan.method()) ? kBranches : "");
}

}  // namespace heroq
